import { decodeRecord, encodeRecord, newEventId } from '@ariftly/events'
import { RecordView } from '@ariftly/kafka'
import { recordViewOf, sampleEvent } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Ring } from './ring.ts'

/** Views of consecutive records of one answer, with `gap` bytes between them. */
function answerOf(texts: readonly string[], gap: number): RecordView[] {
  const records = texts.map((text, offset) => {
    const data = Buffer.from(JSON.stringify({ task_id: 'task_1', text }))
    const encoded = encodeRecord(sampleEvent({ taskId: 'task_1', id: newEventId(1_800_000_000_000), data }))
    return recordViewOf({ partition: 0, offset, timestampMs: 1_800_000_000_000, ...encoded })
  })
  const answer = Buffer.concat(records.flatMap(({ bytes }) => [bytes, Buffer.alloc(gap)]))
  let start = 0
  return records.map((record) => {
    const view = new RecordView(record, { bytes: answer, start, end: start + record.bytes.length })
    start += record.bytes.length + gap
    return view
  })
}

test('records are read back unchanged, copied together or one by one', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ maxLength: 20_000 }), { minLength: 1, maxLength: 20 }),
      fc.nat(9),
      (texts, gap) => {
        const records = answerOf(texts, gap)
        const ring = new Ring(Float64Array.of(0))
        const copied = ring.copy(records)
        for (const record of records) {
          const seq = ring.append(record, 'shown', copied)
          expect(ring.view(seq).value).toEqual(record.value)
          expect(ring.event(seq)?.event).toEqual(eventOf(record))
        }
      },
    ),
    { numRuns: 50 },
  )
})

test('an event does not keep the fetched answer in memory', () => {
  const [record] = answerOf(['x'], 0)
  if (record === undefined) throw new Error('no record')
  const ring = new Ring(Float64Array.of(0))
  const kept = ring.event(ring.append(record, 'shown'))
  expect(kept?.event).toEqual(eventOf(record))
  expect(kept?.event.data.buffer).not.toBe(record.bytes.buffer)
})

function eventOf(record: RecordView) {
  const decoded = decodeRecord(record, 1)
  if (decoded.kind !== 'event') throw new Error(`a dead letter: ${decoded.detail}`)
  return decoded.event
}
