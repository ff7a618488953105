import { describe, expect, test } from '@jest/globals'
import type { EventProducer, PartitionOutcome, ProducerRecord } from '@ariftly/kafka'
import { eventually } from '@ariftly/testkit'
import { Lane, type LaneOptions } from './lane.ts'
import type { Part, RecordStatus } from './part.ts'

type Answer = (partition: number, records: readonly ProducerRecord[]) => PartitionOutcome

const APPENDED_MS = 1_000_000_000_000
/** One millisecond more than readers take. */
const LATE_MS = 600_001
const WRITTEN: PartitionOutcome = { type: 'written', baseOffset: 0, appendedAtMs: APPENDED_MS, leader: 1 }

/** A simulated log with the records sent to it, in order. Partitions can be held, so that they are not answered. */
function createLog(answer: Answer = () => WRITTEN) {
  const sends: ProducerRecord[][] = []
  const held = new Map<number, (() => void)[]>()
  const open = new Map<number, number>()
  let openMax = 0

  async function answerOf(partition: number, records: readonly ProducerRecord[]): Promise<PartitionOutcome> {
    open.set(partition, (open.get(partition) ?? 0) + 1)
    openMax = Math.max(openMax, open.get(partition) ?? 0)
    await new Promise<void>((resolve) => {
      const waiting = held.get(partition)
      if (waiting) waiting.push(resolve)
      else setImmediate(resolve)
    })
    open.set(partition, (open.get(partition) ?? 0) - 1)
    return answer(partition, records)
  }

  const send: EventProducer['send'] = async (records, o = {}) => {
    sends.push([...records])
    const partitions = new Map<number, PartitionOutcome>()
    await Promise.all(
      [...new Set(records.map(({ partition }) => partition))].map(async (partition) => {
        const outcome = await answerOf(
          partition,
          records.filter((record) => record.partition === partition),
        )
        partitions.set(partition, outcome)
        o.onOutcome?.(partition, outcome)
      }),
    )
    return { partitions, ok: false }
  }

  return {
    send,
    sends,
    /** The most sends of one partition that overlapped. */
    openMax: () => openMax,
    hold: (partition: number) => void held.set(partition, []),
    letGo(partition: number) {
      const waiting = held.get(partition) ?? []
      held.delete(partition)
      for (const resolve of waiting) resolve()
    },
  }
}

const breaker = { sendBegan: () => {}, sendEnded: () => {}, isTrial: () => false }

function laneOn(send: EventProducer['send'], options: Partial<LaneOptions> = {}): Lane {
  return new Lane({
    send,
    breaker,
    timeoutMs: 1000,
    lingerMs: 1,
    partitionBytesMax: 1000,
    sendBytesMax: 10_000,
    ...options,
  })
}

/** A part of records that carry their names as values, and the statuses that they were settled with. */
function partOf(
  partition: number,
  names: readonly string[],
  size = 100,
): Part & { readonly statuses: (RecordStatus | undefined)[] } {
  const statuses: (RecordStatus | undefined)[] = names.map(() => undefined)
  return {
    partition,
    records: names.map((name) => ({ partition, key: null, value: Buffer.from(name), headers: {} })),
    idTimes: names.map((name) => (name.startsWith('late') ? APPENDED_MS + LATE_MS : APPENDED_MS)),
    sizes: names.map(() => size),
    statuses,
    settle(from, to, status) {
      for (let at = from; at < to; at++) {
        if (statuses[at] !== undefined) throw new Error('settled twice')
        statuses[at] = status
      }
    },
  }
}

function namesOf(records: readonly ProducerRecord[]): string[] {
  return records.map(({ value }) => value?.toString() ?? '')
}

describe('a lane', () => {
  test('has one send of a partition outstanding, and fills the next one meanwhile, in order', async () => {
    const log = createLog()
    const lane = laneOn(log.send)
    log.hold(0)
    const first = partOf(0, ['a', 'b'])
    lane.add(first)
    await new Promise((resolve) => setImmediate(resolve))
    const others = Array.from({ length: 5 }, (_, index) => partOf(0, [`c${index}`]))
    for (const part of others) lane.add(part)
    expect(first.statuses).toEqual([undefined, undefined])
    log.letGo(0)
    await lane.idle()
    expect(log.openMax()).toBe(1)
    expect(log.sends.map(namesOf)).toEqual([
      ['a', 'b'],
      ['c0', 'c1', 'c2', 'c3', 'c4'],
    ])
    expect([first, ...others].flatMap(({ statuses }) => statuses)).toEqual(Array.from({ length: 7 }, () => 'accepted'))
  })

  test('answers nothing before the send has ended', async () => {
    const log = createLog()
    log.hold(0)
    const lane = laneOn(log.send)
    const part = partOf(0, ['a'])
    lane.add(part)
    await eventually('the send has begun', () => log.sends.length === 1)
    expect(part.statuses).toEqual([undefined])
    log.letGo(0)
    await lane.idle()
    expect(part.statuses).toEqual(['accepted'])
  })

  test('keeps each partition and each send below its maximum, and a full partition does not delay another', async () => {
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

  test('sends a record that is larger than the maximum in its own request', async () => {
    const log = createLog()
    const lane = laneOn(log.send)
    const parts = [partOf(0, ['a']), partOf(0, ['huge'], 5000), partOf(0, ['b'])]
    for (const part of parts) lane.add(part)
    await lane.idle()
    expect(log.sends.map(namesOf)).toEqual([['a'], ['huge'], ['b']])
  })

  test('refuses the one record that the broker finds too large, and writes its neighbours in order', async () => {
    const written: string[] = []
    const log = createLog((_partition, records) => {
      if (namesOf(records).includes('bad')) return { type: 'refused', code: 'MESSAGE_TOO_LARGE' }
      written.push(...namesOf(records))
      return WRITTEN
    })
    const lane = laneOn(log.send)
    const [one, other] = [partOf(0, ['a', 'b', 'bad', 'c']), partOf(0, ['d', 'e'])]
    lane.add(one)
    lane.add(other)
    await lane.idle()
    expect(one.statuses).toEqual(['accepted', 'accepted', 'refused', 'accepted'])
    expect(other.statuses).toEqual(['accepted', 'accepted'])
    expect(written).toEqual(['a', 'b', 'c', 'd', 'e'])
    const [together, ...alone] = log.sends.map(namesOf)
    expect(together).toEqual(['a', 'b', 'bad', 'c', 'd', 'e'])
    expect(alone).toEqual(together?.map((name) => [name]))
  })

  test('sends no later record of a request one of whose records is left open when each is sent alone', async () => {
    const log = createLog((_partition, records) => {
      if (records.length > 1) return { type: 'refused', code: 'RECORD_LIST_TOO_LARGE' }
      return namesOf(records).includes('open') ? { type: 'unknown', code: 'X' } : WRITTEN
    })
    const lane = laneOn(log.send)
    const [one, other] = [partOf(0, ['a', 'open', 'b']), partOf(0, ['c'])]
    for (const part of [one, other]) lane.add(part)
    await lane.idle()
    expect([one.statuses, other.statuses]).toEqual([['accepted', 'retry', 'retry'], ['accepted']])
    expect(log.sends.map(namesOf)).toEqual([['a', 'open', 'b', 'c'], ['a'], ['open'], ['c']])
  })

  test.each(['unknown', 'unsent'] as const)(
    'answers retry when the outcome is %s, and never sends the later records of the same request',
    async (type) => {
      const log = createLog(() => ({ type, code: 'X' }))
      const lane = laneOn(log.send)
      const part = partOf(
        0,
        Array.from({ length: 15 }, (_, index) => `a${index}`),
      )
      const other = partOf(0, ['later'])
      lane.add(part)
      lane.add(other)
      await lane.idle()
      expect(part.statuses).toEqual(Array.from({ length: 15 }, () => 'retry'))
      expect(log.sends.map((records) => records.length)).toEqual([10, 1])
      expect(other.statuses).toEqual(['retry'])
    },
  )

  test('accepts no record that readers take for a dead letter, and sends no later record of the same request', async () => {
    const log = createLog()
    const lane = laneOn(log.send)
    const part = partOf(0, ['a', 'late1', 'late2', 'b', ...Array.from({ length: 8 }, (_, index) => `c${index}`)])
    lane.add(part)
    await lane.idle()
    const out = { type: 'outOfWindow', appendedAtMs: APPENDED_MS }
    expect(part.statuses.slice(0, 4)).toEqual(['accepted', out, out, 'accepted'])
    expect(part.statuses.slice(4, 10)).toEqual(Array.from({ length: 6 }, () => 'accepted'))
    expect(part.statuses.slice(10)).toEqual([out, out])
    expect(log.sends.map((records) => records.length)).toEqual([10])
  })

  test('accepts none of them when the broker refused another record of the request', async () => {
    const refused: PartitionOutcome = { type: 'refused', code: 'INVALID_RECORD' }
    const log = createLog((_, records) => (namesOf(records).includes('bad') ? refused : WRITTEN))
    const lane = laneOn(log.send)
    const [one, other] = [partOf(0, ['bad']), partOf(0, ['late'])]
    for (const part of [one, other]) lane.add(part)
    await lane.idle()
    expect([one.statuses, other.statuses]).toEqual([['refused'], [{ type: 'outOfWindow', appendedAtMs: APPENDED_MS }]])
  })

  test('fails only the partition that failed', async () => {
    const log = createLog((partition) => (partition === 0 ? WRITTEN : { type: 'unknown', code: 'X' }))
    const lane = laneOn(log.send)
    const parts = [partOf(0, ['a']), partOf(1, ['b'])]
    for (const part of parts) lane.add(part)
    await lane.idle()
    expect(parts.map(({ statuses }) => statuses)).toEqual([['accepted'], ['retry']])
  })

  test('failWaiting answers for waiting parts, and running ones are answered by their own outcome', async () => {
    const log = createLog()
    log.hold(0)
    const lane = laneOn(log.send)
    const [first, second] = [partOf(0, ['a']), partOf(0, ['b'])]
    lane.add(first)
    await new Promise((resolve) => setImmediate(resolve))
    lane.add(second)
    lane.failWaiting(0)
    expect(second.statuses).toEqual(['retry'])
    expect(first.statuses).toEqual([undefined])
    log.letGo(0)
    await lane.idle()
    expect(first.statuses).toEqual(['accepted'])
    expect(log.sends).toHaveLength(1)
  })

  test('a partition whose broker does not answer delays no other partition', async () => {
    const log = createLog()
    log.hold(0)
    const lane = laneOn(log.send)
    const stuck = [partOf(0, ['a']), partOf(0, ['b'])]
    const rounds = Array.from({ length: 5 }, (_, index) => partOf(1, [`c${index}`]))
    for (const part of stuck) lane.add(part)
    for (const part of rounds) {
      lane.add(part)
      await eventually('the part is settled', () => part.statuses[0])
    }
    expect(rounds.flatMap(({ statuses }) => statuses)).toEqual(rounds.map(() => 'accepted'))
    expect(stuck.flatMap(({ statuses }) => statuses)).toEqual([undefined, undefined])
    log.letGo(0)
    await lane.idle()
    expect(stuck.flatMap(({ statuses }) => statuses)).toEqual(['accepted', 'accepted'])
    expect(log.openMax()).toBe(1)
  })

  test('answers retry for what has waited as long as a produce request may take', async () => {
    const log = createLog()
    log.hold(0)
    const lane = laneOn(log.send, { timeoutMs: 50 })
    const [first, behind] = [partOf(0, ['a']), partOf(0, ['b', 'c'])]
    lane.add(first)
    await eventually('the send has begun', () => log.sends.length === 1)
    lane.add(behind)
    await eventually('the part behind it is settled', () => !behind.statuses.includes(undefined))
    expect(behind.statuses).toEqual(['retry', 'retry'])
    log.letGo(0)
    await lane.idle()
    expect(first.statuses).toEqual(['accepted'])
    expect(log.sends.map(namesOf)).toEqual([['a']])
  })

  test('sends a trial in its own request, and fails it immediately if it cannot be sent', async () => {
    const log = createLog()
    const limits: unknown[] = []
    const lane = laneOn(
      (records, o) => {
        limits.push([records.map(({ partition }) => partition), o?.timeoutMs, o?.unsentMs])
        return log.send(records, o)
      },
      { timeoutMs: 5_000, breaker: { ...breaker, isTrial: (partition) => partition === 0 } },
    )
    for (const part of [partOf(0, ['a']), partOf(1, ['b']), partOf(2, ['c'])]) lane.add(part)
    await lane.idle()
    expect(limits).toEqual([
      [[0], 5_000, 0],
      [[1, 2], 5_000, 1_000],
    ])
  })
})
