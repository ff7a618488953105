import { gzipSync } from 'node:zlib'
import { expect, test } from '@jest/globals'
import { unpack } from './codec.ts'

/** `ariftly ` 64 times, packed by the tool `zstd`. */
const ZSTD = Buffer.from('KLUv/QRYfQAAQGFyaWZ0bHkgAQD1UwsXctyV3Q==', 'base64')

test('decompresses gzip, and returns uncompressed bytes unchanged', () => {
  const plain = Buffer.from('{"a":1}')
  expect(unpack(0, plain)).toBe(plain)
  expect(unpack(1, gzipSync(plain))).toEqual(plain)
})

test('unpacks zstd', () => {
  expect(unpack(4, ZSTD).toString()).toBe('ariftly '.repeat(64))
})

test('names the codec that it does not have', () => {
  expect(() => unpack(2, Buffer.alloc(4))).toThrow('records compressed by codec 2 (snappy) cannot be read')
  expect(() => unpack(7, Buffer.alloc(4))).toThrow('records compressed by codec 7 cannot be read')
})

test('refuses a batch that unpacks to more than 64 MiB', () => {
  expect(() => unpack(1, gzipSync(Buffer.alloc(65 * 1024 * 1024)))).toThrow()
})
