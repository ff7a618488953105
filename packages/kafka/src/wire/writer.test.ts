import { expect, test } from '@jest/globals'
import { WireReader } from './reader.ts'
import { WireWriter } from './writer.ts'

const topicId = Buffer.alloc(16, 7).toString('base64url')

test.each([true, false])(
  'what is written is read back, also when it needs more than one buffer (flexible: %s)',
  (isFlexible) => {
    const to = new WireWriter({ isFlexible })
    const items = Array.from({ length: 300 }, (_, index) => index)
    const given = Buffer.alloc(5_000, 1)
    to.int8(-1)
    to.string(null)
    to.string('é'.repeat(2_000))
    to.partitions({ topic: 'to', topicId }, items, (item) => {
      to.int32(item)
      to.int64(2 ** 40 + item)
      to.tags()
    })
    to.uuid(topicId)
    to.uuid(null)
    to.bytes(given)
    to.int16(-2)
    to.tags()
    const parts = to.end()

    expect(parts).toContain(given)
    const from = new WireReader(Buffer.concat(parts), { isFlexible })
    expect([from.int8(), from.string(), from.string()]).toEqual([-1, null, 'é'.repeat(2_000)])
    const read = from.partitions(() => {
      const item = [from.int32(), from.int64()]
      from.tags()
      return item
    })
    expect(read).toEqual(items.map((item) => [item, 2 ** 40 + item]))
    expect([from.uuid(), from.uuid(), from.bytes(), from.int16()]).toEqual([topicId, null, given, -2])
    from.tags()
    expect(() => from.int8()).toThrow()
  },
)
