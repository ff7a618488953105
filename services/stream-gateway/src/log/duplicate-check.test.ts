import { describe, expect, test } from '@jest/globals'
import { newEventId, type LogEvent } from '@ariftly/events'
import { createDuplicateCheck, type EventRecord } from './duplicate-check.ts'
import { IdIndex } from './id-index.ts'

const NOW_MS = Date.UTC(2026, 10, 25)
const signal = new AbortController().signal

function record(offset: number, idMs = NOW_MS): EventRecord {
  const event: LogEvent = {
    tenant: 'acme',
    id: newEventId(idMs),
    type: 'task.progress',
    taskId: 't',
    sessionId: null,
    agent: null,
    data: Buffer.from('{}'),
    traceparent: null,
  }
  return { offset, appendedAtMs: NOW_MS, event }
}

function indexed(index: IdIndex, { event, offset, appendedAtMs }: EventRecord): boolean {
  return index.add({ partition: 0, tenant: event.tenant, id: event.id, offset, appendedAtMs })
}

describe('copies', () => {
  test('are looked up only for ids that may be older than what is remembered', async () => {
    const index = new IdIndex({ fromOrigin: [false], idsMax: 0 })
    index.seen(0, NOW_MS - 3_600_000)
    const asked: string[] = []
    const copies = createDuplicateCheck({
      index,
      lookUp: async (_, candidates) => {
        asked.push(...candidates.map(({ id }) => id))
        return new Set([0])
      },
      now: () => 0,
      onOpened: () => undefined,
    })
    const [fresh, old] = [record(10), record(11, NOW_MS - 3_600_000)]
    expect([...(await copies.find(0, [fresh, old], signal))]).toEqual([11])
    expect(asked).toEqual([old.event.id])
  })

  test('are known from the index even when it forgets the id while others are looked up', async () => {
    const index = new IdIndex({ fromOrigin: [false], idsMax: 0 })
    const first = record(1)
    indexed(index, first)
    const copies = createDuplicateCheck({
      index,
      lookUp: async () => {
        index.trim(Float64Array.of(5), Float64Array.of(5))
        return new Set()
      },
      now: () => 0,
      onOpened: () => undefined,
    })
    const again = { ...first, offset: 7 }
    expect([...(await copies.find(0, [again, record(8)], signal))]).toEqual([7])
    expect(index.size).toBe(0)
  })

  test('go out unchecked, and counted, once Postgres has not answered in time, until a look-up succeeds', async () => {
    let nowMs = 0
    let isAway = true
    let opened = 0
    const copies = createDuplicateCheck({
      index: new IdIndex({ fromOrigin: [false], idsMax: 0 }),
      lookUp: async () => {
        nowMs += 1000
        if (isAway) throw new Error('away')
        return new Set([0])
      },
      waitMs: 1500,
      now: () => nowMs,
      onOpened: () => (opened += 1),
    })
    expect((await copies.find(0, [record(1)], signal)).size).toBe(0)
    expect((await copies.find(0, [record(2)], signal)).size).toBe(0)
    expect([copies.isOpen, copies.unchecked, opened, nowMs]).toEqual([true, 2, 1, 2000])
    await copies.retry()
    expect((await copies.find(0, [record(3)], signal)).size).toBe(0)
    expect([copies.isOpen, copies.unchecked, opened]).toEqual([true, 3, 1])
    isAway = false
    await copies.retry()
    expect([...(await copies.find(0, [record(4)], signal))]).toEqual([4])
    expect([copies.isOpen, copies.unchecked]).toEqual([false, 3])
  })

  test('are tried for by one look-up at a time while the breaker is open, and no record waits for it', async () => {
    const answers: (() => void)[] = []
    let asked = 0
    const copies = createDuplicateCheck({
      index: new IdIndex({ fromOrigin: [false], idsMax: 0 }),
      lookUp: () => {
        asked += 1
        if (asked === 1) return Promise.reject(new Error('away'))
        return new Promise((resolve) => answers.push(() => resolve(new Set())))
      },
      waitMs: 50,
      now: () => 0,
      onOpened: () => undefined,
    })
    expect(copies.isOpen).toBe(false)
    await copies.retry()
    expect(asked).toBe(0)
    await copies.find(0, [record(1)], signal)
    const trials = [copies.retry(), copies.retry()]
    expect((await copies.find(0, [record(2)], signal)).size).toBe(0)
    expect([asked, copies.isOpen, copies.unchecked]).toEqual([2, true, 2])
    for (const answer of answers) answer()
    await Promise.all(trials)
    expect(copies.isOpen).toBe(false)
  })
})

describe('the index of ids', () => {
  test('keeps ids that are in the ring or not projected yet, whatever its bound', () => {
    const index = new IdIndex({ fromOrigin: [true], idsMax: 0 })
    for (let offset = 0; offset < 4; offset += 1) indexed(index, record(offset))
    index.trim(Float64Array.of(3), Float64Array.of(2))
    expect(index.size).toBe(2)
    index.trim(Float64Array.of(3), Float64Array.of(9))
    expect(index.size).toBe(1)
  })

  test('knows everything when the reading began at the first record, and nothing before its first record otherwise', () => {
    const [whole, part] = [true, false].map((origin) => new IdIndex({ fromOrigin: [origin], idsMax: 10 }))
    expect(whole?.mayBeOlder(0, 0)).toBe(false)
    expect(part?.mayBeOlder(0, NOW_MS)).toBe(true)
    part?.seen(0, NOW_MS)
    expect(part?.mayBeOlder(0, NOW_MS + 600_000)).toBe(true)
    expect(part?.mayBeOlder(0, NOW_MS + 600_001)).toBe(false)
  })
})
