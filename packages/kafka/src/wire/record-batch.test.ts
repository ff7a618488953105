import { createRequire } from 'node:module'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { crc32c } from './crc32c.ts'
import { encodeRecordBatch, type BatchRecord } from './encode-record-batch.ts'
import { readBatchHead, readRecords } from './record-batch.ts'

const require = createRequire(import.meta.url)

interface KafkajsRecord {
  readonly offset: string
  readonly timestamp: string
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: Record<string, Buffer | Buffer[]>
}

const decodeByKafkajs = require('kafkajs/src/protocol/recordBatch/v0/decoder') as (
  decoder: unknown,
) => Promise<{ readonly records: readonly KafkajsRecord[] }>
const Decoder = require('kafkajs/src/protocol/decoder') as new (data: Buffer) => unknown

// Few names and texts, so that many headers equal the previous record's.
const repeated = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '22', 'ü'.repeat(40)), {
  noNullPrototype: true,
})
// kafkajs takes a header named as a member of every object (`constructor`) for a repeated one.
const headerName = fc.string({ minLength: 1, maxLength: 12 }).filter((name) => !(name in {}))
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array))
/** The length of a record with it takes three bytes. */
const LONG = Buffer.alloc(9_000, 'v')
const record: fc.Arbitrary<BatchRecord> = fc.record({
  key: fc.option(bytes),
  value: fc.option(fc.oneof({ arbitrary: bytes, weight: 29 }, { arbitrary: fc.constant(LONG), weight: 1 })),
  headers: fc.oneof(
    repeated,
    fc.dictionary(headerName, fc.oneof(fc.string({ maxLength: 40 }), bytes), { noNullPrototype: true }),
  ),
})
const records = fc.array(record, { minLength: 1, maxLength: 20 })

function decode(batch: Buffer) {
  const head = readBatchHead(batch, 0)
  if (!head) throw new Error('cut off')
  return readRecords(batch, head, { partition: 3, from: 0 })
}

function plain(headers: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Buffer.from(value as string).toString('hex')]),
  )
}

describe('record batch v2', () => {
  test.each(['none', 'gzip'] as const)(
    'kafkajs reads the same records out of it (compression %s)',
    async (compression) => {
      await fc.assert(
        fc.asyncProperty(records, async (given) => {
          const batch = encodeRecordBatch(given, { nowMs: 1_700_000_000_123, compression })
          const theirs = await decodeByKafkajs(new Decoder(batch))
          expect(theirs.records.map(({ offset }) => offset)).toEqual(given.map((_, index) => String(index)))
          for (const [index, seen] of theirs.records.entries()) {
            expect(seen.timestamp).toBe('1700000000123')
            expect(seen.key).toEqual(given[index]?.key)
            expect(seen.value).toEqual(given[index]?.value)
            expect(plain(seen.headers)).toEqual(plain(given[index]?.headers ?? {}))
          }
        }),
        { numRuns: 50 },
      )
    },
  )

  test.each(['none', 'gzip'] as const)('our reader reads what was written (compression %s)', (compression) => {
    fc.assert(
      fc.property(records, (given) => {
        const seen = decode(encodeRecordBatch(given, { nowMs: 5, compression }))
        expect(seen.map(({ key, value, headers }) => ({ key, value, headers: plain(headers) }))).toEqual(
          given.map(({ key, value, headers }) => ({ key, value, headers: plain(headers) })),
        )
        expect(seen.map(({ partition, offset, timestampMs }) => ({ partition, offset, timestampMs }))).toEqual(
          given.map((_, offset) => ({ partition: 3, offset, timestampMs: 5 })),
        )
      }),
    )
  })

  test('batches are written into the given space, and into their own memory when it is too small', () => {
    fc.assert(
      fc.property(fc.array(records, { maxLength: 6 }), (batches) => {
        const space = { bytes: Buffer.alloc(20_000, 0xff), at: 0 }
        const encoded = batches.map((given) => encodeRecordBatch(given, { nowMs: 5, space }))
        const alone = batches.map((given) => encodeRecordBatch(given, { nowMs: 5 }))
        // All are encoded before the first is checked: none may overwrite another.
        expect(Buffer.concat(encoded).equals(Buffer.concat(alone))).toBe(true)
        const inside = encoded.filter(({ buffer }) => buffer === space.bytes.buffer)
        expect(space.at).toBe(inside.reduce((sum, { length }) => sum + length, 0))
      }),
      { numRuns: 50 },
    )
  })

  test('a key may be text', () => {
    const key = 'acme/task_ü'
    const [seen] = decode(encodeRecordBatch([{ key, value: null, headers: {} }], { nowMs: 5 }))
    expect(seen?.key).toEqual(Buffer.from(key))
  })

  test('its checksum covers everything from the attributes on', () => {
    const batch = encodeRecordBatch([{ key: null, value: Buffer.from('x'), headers: {} }], { nowMs: 5 })
    expect(batch.readUInt32BE(17)).toBe(crc32c(batch, 21))
  })

  test('a repeated header is an array, and one named __proto__ is only a header', () => {
    const batch = encodeRecordBatch(
      [{ key: null, value: null, headers: { a: ['1', Buffer.from('2')], ['__proto__']: 'x' } }],
      { nowMs: 5 },
    )
    const [seen] = decode(batch)
    expect(seen?.headers['a']).toEqual(['1', '2'])
    expect(Object.getPrototypeOf(seen?.headers)).toBe(Object.prototype)
    expect(Object.hasOwn(seen?.headers ?? {}, '__proto__')).toBe(true)
  })

  test('a header without a value is not one with an empty value', () => {
    const given: BatchRecord[] = [
      { key: null, value: null, headers: { none: null, empty: '', both: [null, '', null, '1'] } },
      { key: null, value: null, headers: { none: 'x' } },
    ]
    expect(decode(encodeRecordBatch(given, { nowMs: 5 })).map(({ headers }) => headers)).toEqual(
      given.map(({ headers }) => headers),
    )
  })

  test('a batch that is cut off anywhere is left for the next fetch', () => {
    const batch = encodeRecordBatch([{ key: null, value: Buffer.from('x'), headers: {} }], { nowMs: 5 })
    for (let length = 0; length < batch.length; length += 1) {
      expect(readBatchHead(batch.subarray(0, length), 0)).toBeUndefined()
    }
  })
})
