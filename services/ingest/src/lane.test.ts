import { describe, expect, test } from '@jest/globals'
import type { EventProducer, PartitionOutcome, ProduceOutcome, ProducerRecord } from '@ariftly/kafka'
import { createLane, type LaneOptions, type Part, type RecordStatus } from './lane.ts'

type Answer = (records: readonly ProducerRecord[]) => ReadonlyMap<number, PartitionOutcome>

/** A log of its own: what it was sent, in order, and how many sends overlapped. */
function createLog(answer: Answer = allWritten) {
  const sends: ProducerRecord[][] = []
  const waiting: (() => void)[] = []
  let open = 0
  let openMax = 0
  let held = false
  const send: EventProducer['send'] = async (records) => {
    sends.push([...records])
    open += 1
    openMax = Math.max(openMax, open)
    await new Promise<void>((resolve) => {
      if (held) waiting.push(resolve)
      else setImmediate(resolve)
    })
    open -= 1
    const partitions = answer(records)
    return { partitions, ok: false } satisfies ProduceOutcome
  }
  return {
    send,
    sends,
    openMax: () => openMax,
    hold: () => (held = true),
    letGo() {
      held = false
      for (const resolve of waiting.splice(0)) resolve()
    },
  }
}

function allWritten(records: readonly ProducerRecord[]): ReadonlyMap<number, PartitionOutcome> {
  return new Map(
    records.map(({ partition }) => [partition, { type: 'written', baseOffset: 0, appendedAtMs: 0, leader: 1 }]),
  )
}

const breaker = { sendBegan: () => ({ beganMs: 0 }), sendEnded: () => {} }

function laneOn(send: EventProducer['send'], options: Partial<LaneOptions> = {}) {
  return createLane({
    send,
    breaker,
    timeoutMs: 1000,
    lingerMs: 1,
    partitionBytesMax: 1000,
    sendBytesMax: 10_000,
    ...options,
  })
}

/** A part of records that carry their names as values, and the statuses that they were told. */
function partOf(
  partition: number,
  names: readonly string[],
  size = 100,
): Part & { readonly told: (RecordStatus | undefined)[] } {
  const told: (RecordStatus | undefined)[] = names.map(() => undefined)
  return {
    partition,
    records: names.map((name) => ({ partition, key: null, value: Buffer.from(name), headers: {} })),
    sizes: names.map(() => size),
    sent: 0,
    failed: false,
    told,
    settle(from, to, status) {
      for (let at = from; at < to; at++) {
        if (told[at] !== undefined) throw new Error('told twice')
        told[at] = status
      }
    },
  }
}

function namesOf(records: readonly ProducerRecord[]): string[] {
  return records.map(({ value }) => value?.toString() ?? '')
}

describe('a lane', () => {
  test('has one send outstanding, and fills the next one meanwhile, in order', async () => {
    const log = createLog()
    const lane = laneOn(log.send)
    log.hold()
    const first = partOf(0, ['a', 'b'])
    lane.add(first)
    await new Promise((resolve) => setImmediate(resolve))
    const others = Array.from({ length: 5 }, (_, index) => partOf(0, [`c${index}`]))
    for (const part of others) lane.add(part)
    expect(first.told).toEqual([undefined, undefined])
    log.letGo()
    await lane.idle()
    expect(log.openMax()).toBe(1)
    expect(log.sends.map(namesOf)).toEqual([
      ['a', 'b'],
      ['c0', 'c1', 'c2', 'c3', 'c4'],
    ])
    expect([first, ...others].flatMap(({ told }) => told)).toEqual(Array.from({ length: 7 }, () => 'accepted'))
  })

  test('tells nothing before the send has ended', async () => {
    const log = createLog()
    log.hold()
    const lane = laneOn(log.send)
    const part = partOf(0, ['a'])
    lane.add(part)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(log.sends).toHaveLength(1)
    expect(part.told).toEqual([undefined])
    log.letGo()
    await lane.idle()
    expect(part.told).toEqual(['accepted'])
  })

  test('keeps each partition and each send under its cap, and a partition that is full does not hold up another', async () => {
    const log = createLog()
    const lane = laneOn(log.send, { sendBytesMax: 1500 })
    const large = partOf(
      0,
      Array.from({ length: 25 }, (_, index) => `a${index}`),
    )
    const small = partOf(1, ['b0', 'b1'])
    const late = partOf(0, ['z'])
    for (const part of [large, small, late]) lane.add(part)
    await lane.idle()
    expect(log.sends.map((records) => records.length)).toEqual([12, 10, 6])
    expect(namesOf(log.sends[0] ?? []).slice(-2)).toEqual(['b0', 'b1'])
    const ofZero = log.sends.flat().filter(({ partition }) => partition === 0)
    expect(namesOf(ofZero)).toEqual([...Array.from({ length: 25 }, (_, index) => `a${index}`), 'z'])
  })

  test('sends a record that is larger than the cap by itself', async () => {
    const log = createLog()
    const lane = laneOn(log.send)
    const parts = [partOf(0, ['a']), partOf(0, ['huge'], 5000), partOf(0, ['b'])]
    for (const part of parts) lane.add(part)
    await lane.idle()
    expect(log.sends.map(namesOf)).toEqual([['a'], ['huge'], ['b']])
  })

  test('refuses the one record that the broker finds too large, and writes its neighbours in order', async () => {
    const written: string[] = []
    const log = createLog((records) => {
      if (namesOf(records).includes('bad')) return new Map([[0, { type: 'refused', code: 'MESSAGE_TOO_LARGE' }]])
      written.push(...namesOf(records))
      return allWritten(records)
    })
    const lane = laneOn(log.send)
    const [one, other] = [partOf(0, ['a', 'b', 'bad', 'c']), partOf(0, ['d', 'e'])]
    lane.add(one)
    lane.add(other)
    await lane.idle()
    expect(one.told).toEqual(['accepted', 'accepted', 'refused', 'accepted'])
    expect(other.told).toEqual(['accepted', 'accepted'])
    expect(written).toEqual(['a', 'b', 'c', 'd', 'e'])
  })

  test.each(['unknown', 'unsent'] as const)(
    'answers retry when the outcome is %s, and never sends what is behind in the same request',
    async (type) => {
      const log = createLog((records) => new Map(records.map(({ partition }) => [partition, { type, code: 'X' }])))
      const lane = laneOn(log.send)
      const part = partOf(
        0,
        Array.from({ length: 15 }, (_, index) => `a${index}`),
      )
      const other = partOf(0, ['later'])
      lane.add(part)
      lane.add(other)
      await lane.idle()
      expect(part.told).toEqual(Array.from({ length: 15 }, () => 'retry'))
      expect(log.sends.map((records) => records.length)).toEqual([10, 1])
      expect(other.told).toEqual(['retry'])
    },
  )

  test('fails only the partition that failed', async () => {
    const log = createLog(
      () =>
        new Map<number, PartitionOutcome>([
          [0, { type: 'written', baseOffset: 0, appendedAtMs: 0, leader: 1 }],
          [1, { type: 'unknown', code: 'X' }],
        ]),
    )
    const lane = laneOn(log.send)
    const parts = [partOf(0, ['a']), partOf(1, ['b'])]
    for (const part of parts) lane.add(part)
    await lane.idle()
    expect(parts.map(({ told }) => told)).toEqual([['accepted'], ['retry']])
  })

  test('answers what waits when told so, and what is under way by its own outcome', async () => {
    const log = createLog()
    log.hold()
    const lane = laneOn(log.send)
    const [first, second] = [partOf(0, ['a']), partOf(0, ['b'])]
    lane.add(first)
    await new Promise((resolve) => setImmediate(resolve))
    lane.add(second)
    lane.failWaiting()
    expect(second.told).toEqual(['retry'])
    expect(first.told).toEqual([undefined])
    log.letGo()
    await lane.idle()
    expect(first.told).toEqual(['accepted'])
    expect(log.sends).toHaveLength(1)
  })
})
