import { expect, test } from '@jest/globals'
import { partitionOf } from './partition.ts'

// The values of Java's UtilsTest.testMurmur2, as partitions of 2^31 (which leaves the hash without its sign bit).
test.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107],
])("murmur2 of %s equals the Java client's", (key, hash) => {
  expect(partitionOf(key, 2 ** 31)).toBe(hash & 0x7fffffff)
})
