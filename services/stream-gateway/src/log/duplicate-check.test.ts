import { describe, expect, test } from '@jest/globals'
import { encodeRecord, newEventId } from '@ariftly/events'
import fc from 'fast-check'
import { recordViewOf, sampleEvent } from '@ariftly/testkit'
import { CANDIDATES_PER_TENANT_MAX, DuplicateCheck, type WantedRecord } from './duplicate-check.ts'
import { EventIdBits } from './event-id-bits.ts'
import { IdIndex } from './id-index.ts'
import type { RecordState } from './record-state.ts'
import { Ring } from './ring.ts'

const NOW_MS = Date.UTC(2026, 10, 25)
const signal = new AbortController().signal

function record(offset: number, idMs = NOW_MS): WantedRecord {
  return { offset, event: sampleEvent({ id: newEventId(idMs) }) }
}

function indexed(index: IdIndex, { event, offset }: WantedRecord): void {
  index.add({ partition: 0, tenant: event.tenant, id: bitsOf(event.id), offset, appendedAtMs: NOW_MS })
}

function bitsOf(id: string): EventIdBits {
  const bits = new EventIdBits()
  if (!bits.readText(id)) throw new Error(`${id} is no event id`)
  return bits
}

function indexOf(o: { readonly origin?: boolean; readonly idsMax?: number; readonly unprojectedMax?: number } = {}) {
  const { origin = false, idsMax = 0, unprojectedMax = 1000 } = o
  return new IdIndex({ fromOrigin: [origin], idsMax, unprojectedMax })
}

/** The offsets of records that are not to be shown. */
function hidden(states: ReadonlyMap<number, string>): number[] {
  return [...states].filter(([, state]) => state === 'hidden').map(([offset]) => offset)
}

describe('duplicates', () => {
  test('are looked up only for ids that may be older than what is remembered', async () => {
    const index = indexOf()
    index.seen(0, NOW_MS - 3_600_000)
    const lookedUp: string[] = []
    const duplicates = new DuplicateCheck({
      ids: index,
      ring: new Ring(Float64Array.of(0)),
      lookUp: async (_, candidates) => {
        lookedUp.push(...candidates.map(({ id }) => id))
        return new Set([0])
      },
      newestTimes: async () => new Map(),
      now: () => 0,
      onOpened: () => undefined,
    })
    const [fresh, old] = [record(10), record(11, NOW_MS - 3_600_000)]
    expect(hidden(await duplicates.find(0, [fresh, old], signal))).toEqual([11])
    expect(lookedUp).toEqual([old.event.id])
  })

  test('are looked up only up to the newest id that the tenant has in Postgres, once that is known', async () => {
    const index = indexOf()
    index.seen(0, NOW_MS)
    const lookedUp: string[] = []
    let asked = 0
    const duplicates = new DuplicateCheck({
      ids: index,
      ring: new Ring(Float64Array.of(0)),
      lookUp: async (_, candidates) => {
        lookedUp.push(...candidates.map(({ id }) => id))
        return new Set()
      },
      newestTimes: async (tenants) => {
        asked += 1
        if (asked === 1) throw new Error('away')
        return new Map(tenants.map((tenant) => [tenant, NOW_MS + 5]))
      },
      now: () => 0,
      onOpened: () => undefined,
    })
    const records = [5, 6, 6, 5, 6].map((aheadMs, offset) => record(offset, NOW_MS + aheadMs))
    const [failed, asks, newer, notNewer, ofOther] = records as [
      WantedRecord,
      WantedRecord,
      WantedRecord,
      WantedRecord,
      WantedRecord,
    ]
    for (const each of [failed, asks, newer, notNewer]) await duplicates.find(0, [each], signal)
    await duplicates.find(0, [{ ...ofOther, event: { ...ofOther.event, tenant: 'other' } }], signal)
    expect(lookedUp).toEqual([failed, asks, notNewer, ofOther].map(({ event }) => event.id))
    expect(asked).toBe(3)
  })

  test('are known from the index even when it forgets the id while others are looked up', async () => {
    const index = indexOf()
    const first = record(1)
    indexed(index, first)
    const duplicates = new DuplicateCheck({
      ids: index,
      ring: new Ring(Float64Array.of(0)),
      lookUp: async () => {
        index.setProjected(Float64Array.of(5))
        return new Set()
      },
      newestTimes: async () => new Map(),
      now: () => 0,
      onOpened: () => undefined,
    })
    const again = { ...first, offset: 7 }
    expect(hidden(await duplicates.find(0, [again, record(8)], signal))).toEqual([7])
    expect(index.size).toBe(0)
  })

  test('are shown unchecked, and counted, once Postgres has not answered in time, until a look-up succeeds', async () => {
    let nowMs = 0
    let isDown = true
    let opened = 0
    const duplicates = new DuplicateCheck({
      ids: indexOf(),
      ring: new Ring(Float64Array.of(0)),
      lookUp: async () => {
        nowMs += 1000
        if (isDown) throw new Error('away')
        return new Set([0])
      },
      waitMs: 1500,
      newestTimes: async () => new Map(),
      now: () => nowMs,
      onOpened: () => (opened += 1),
    })
    expect(hidden(await duplicates.find(0, [record(1)], signal))).toEqual([])
    expect(hidden(await duplicates.find(0, [record(2)], signal))).toEqual([])
    expect([duplicates.isOpen, duplicates.unchecked, opened, nowMs]).toEqual([true, 2, 1, 2000])
    await duplicates.retry()
    expect(hidden(await duplicates.find(0, [record(3)], signal))).toEqual([])
    expect([duplicates.isOpen, duplicates.unchecked, opened]).toEqual([true, 3, 1])
    isDown = false
    await duplicates.retry()
    expect(hidden(await duplicates.find(0, [record(4)], signal))).toEqual([4])
    expect([duplicates.isOpen, duplicates.unchecked]).toEqual([false, 3])
  })

  test('are tried for by one look-up at a time while the breaker is open, and no record waits for it', async () => {
    const answers: (() => void)[] = []
    let asked = 0
    const duplicates = new DuplicateCheck({
      ids: indexOf(),
      ring: new Ring(Float64Array.of(0)),
      lookUp: () => {
        asked += 1
        if (asked === 1) return Promise.reject(new Error('away'))
        return new Promise((resolve) => answers.push(() => resolve(new Set())))
      },
      waitMs: 50,
      newestTimes: async () => new Map(),
      now: () => 0,
      onOpened: () => undefined,
    })
    expect(duplicates.isOpen).toBe(false)
    await duplicates.retry()
    expect(asked).toBe(0)
    await duplicates.find(0, [record(1)], signal)
    const trials = [duplicates.retry(), duplicates.retry()]
    expect(hidden(await duplicates.find(0, [record(2)], signal))).toEqual([])
    expect([asked, duplicates.isOpen, duplicates.unchecked]).toEqual([2, true, 2])
    for (const answer of answers) answer()
    await Promise.all(trials)
    expect(duplicates.isOpen).toBe(false)
  })
})

/** A check that remembers the record at offset 0, which the ring has dropped, and what it looks up. */
function forgetFirst(first: WantedRecord, o: { readonly isProjected: boolean; readonly found: readonly number[] }) {
  const ids = indexOf({ origin: true, idsMax: 1000 })
  const ring = new Ring(Float64Array.of(0))
  const lookedUp: number[] = []
  const duplicates = new DuplicateCheck({
    ids,
    ring,
    lookUp: async (_, candidates) => {
      lookedUp.push(...candidates.map(({ offset }) => offset))
      return new Set(o.found)
    },
    newestTimes: async () => new Map(),
    now: () => 0,
    onOpened: () => undefined,
  })

  /** Appends a record and returns its state. */
  function note({ offset, event }: WantedRecord, found?: RecordState): RecordState {
    const place = { partition: 0, offset }
    const state = duplicates.note({ ...place, tenant: event.tenant, id: bitsOf(event.id), appendedAtMs: NOW_MS }, found)
    ring.append(recordViewOf({ ...place, timestampMs: NOW_MS, ...encodeRecord(event) }), state)
    return state
  }

  async function post(wanted: WantedRecord): Promise<RecordState> {
    const states = await duplicates.find(0, [wanted], signal)
    return note(wanted, states.get(wanted.offset))
  }

  note(first)
  ring.evict(0)
  if (o.isProjected) ids.setProjected(Float64Array.of(1))
  return { note, post, lookedUp }
}

describe('an event whose id an earlier record has that is only in Postgres', () => {
  const first = record(0)
  const deadLetter = { offset: 0, event: { ...first.event, data: Buffer.from('{') } }

  test('is shown once when that was a dead letter', async () => {
    const { post, lookedUp } = forgetFirst(deadLetter, { isProjected: true, found: [] })
    expect(await post({ ...first, offset: 1 })).toBe('shown')
    expect(await post({ ...first, offset: 2 })).toBe('hidden')
    expect(lookedUp).toEqual([1])
  })

  test('is not shown when that was an event, also with a dead letter in between', async () => {
    const { note, post, lookedUp } = forgetFirst(first, { isProjected: true, found: [0] })
    expect(await post({ ...first, offset: 1 })).toBe('hidden')
    note({ ...deadLetter, offset: 2 })
    expect(await post({ ...first, offset: 3 })).toBe('hidden')
    expect(lookedUp).toEqual([1, 3])
  })

  test('is unchecked when no stream wanted it, and the next one is its duplicate', () => {
    const { note } = forgetFirst(deadLetter, { isProjected: true, found: [] })
    expect(note({ ...first, offset: 1 })).toBe('unchecked')
    expect(note({ ...first, offset: 2 })).toBe('hidden')
  })

  test('is taken for a duplicate until that is projected', async () => {
    const { post, lookedUp } = forgetFirst(first, { isProjected: false, found: [] })
    expect(await post({ ...first, offset: 1 })).toBe('hidden')
    expect(lookedUp).toEqual([])
  })
})

describe('a tenant with many old ids at once', () => {
  test('gets a bounded number of look-ups; further ids are not checked, and other tenants have their own look-ups', async () => {
    const index = indexOf()
    index.seen(0, NOW_MS)
    const lookedUp: string[] = []
    const duplicates = new DuplicateCheck({
      ids: index,
      ring: new Ring(Float64Array.of(0)),
      lookUp: async (_, candidates) => {
        lookedUp.push(...candidates.map(({ tenant }) => tenant))
        return new Set()
      },
      newestTimes: async () => new Map(),
      now: () => 0,
      onOpened: () => undefined,
    })
    const flood = Array.from({ length: 500 }, (_, offset) => record(offset, NOW_MS - 1))
    const other = record(500, NOW_MS - 1)
    const states = await duplicates.find(
      0,
      [...flood, { ...other, event: { ...other.event, tenant: 'other' } }],
      signal,
    )
    expect(lookedUp.filter((tenant) => tenant === 'acme')).toHaveLength(CANDIDATES_PER_TENANT_MAX)
    expect(lookedUp.filter((tenant) => tenant === 'other')).toHaveLength(1)
    expect([...states.values()].filter((state) => state === 'unchecked')).toHaveLength(500 - CANDIDATES_PER_TENANT_MAX)
    expect(states.get(500)).toBe('shown')
  })
})

describe('the index of ids', () => {
  test('remembers ids that are not projected yet in addition to its maximum, up to a maximum of their own, and counts what it forgets', () => {
    const index = indexOf({ origin: true, unprojectedMax: 3 })
    for (let offset = 0; offset < 5; offset += 1) indexed(index, record(offset))
    expect([index.size, index.forgottenUnprojected]).toEqual([4, 1])
    index.setProjected(Float64Array.of(2))
    expect([index.size, index.forgottenUnprojected]).toEqual([3, 1])
    index.setProjected(Float64Array.of(9))
    expect([index.size, index.forgottenUnprojected]).toEqual([0, 1])
  })

  test('finds the same as a map after any additions and removals', () => {
    const ids = Array.from({ length: 40 }, (_, n) => newEventId(NOW_MS + n))
    const additions = fc.array(fc.tuple(fc.nat({ max: 39 }), fc.constantFrom('a', 'b'), fc.nat({ max: 1 })), {
      maxLength: 300,
      size: 'max',
    })
    fc.assert(
      fc.property(additions, fc.integer({ min: 1, max: 50 }), (steps, idsMax) => {
        const index = new IdIndex({ fromOrigin: [true, true], idsMax, unprojectedMax: 0 })
        const model = new Map<string, number>()
        for (const [offset, [n, tenant, partition]] of steps.entries()) {
          const id = ids[n] ?? ''
          const key = `${partition}/${tenant}/${id}`
          index.add({ partition, tenant, id: bitsOf(id), offset, appendedAtMs: offset })
          if (!model.has(key)) {
            // The index makes room before it adds.
            if (model.size > idsMax) model.delete(model.keys().next().value ?? '')
            model.set(key, offset)
          }
          index.setProjected(Float64Array.of(0, 0))
          while (model.size > idsMax) model.delete(model.keys().next().value ?? '')
        }
        expect(index.size).toBe(model.size)
        for (const partition of [0, 1]) {
          for (const tenant of ['a', 'b']) {
            for (const id of ids)
              expect(index.find(partition, tenant, bitsOf(id))).toBe(model.get(`${partition}/${tenant}/${id}`))
          }
        }
      }),
    )
  })

  test('costs 50 bytes an id, of many as of few', () => {
    const index = indexOf({ origin: true, unprojectedMax: 1e6 })
    const before = process.memoryUsage().arrayBuffers
    for (let offset = 0; offset < 100_000; offset += 1) indexed(index, record(offset))
    expect(index.size).toBe(100_000)
    // Columns double (room for 131,072 ids), and the previous ones may not be collected yet. A Map of strings takes 166 bytes an id.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(131_072 * 50 * 3)
  })

  test("is complete when reading began at the log's first record, and otherwise from its own first record on", () => {
    const [whole, part] = [true, false].map((origin) => indexOf({ origin }))
    expect(whole?.mayBeOlder(0, 'acme', 0)).toBe(false)
    expect(part?.mayBeOlder(0, 'acme', NOW_MS)).toBe(true)
    part?.seen(0, NOW_MS)
    expect(part?.mayBeOlder(0, 'acme', NOW_MS + 600_000)).toBe(true)
    expect(part?.mayBeOlder(0, 'acme', NOW_MS + 600_001)).toBe(false)
  })

  test('asks Postgres for none that is newer than all that were forgotten', () => {
    const index = indexOf({ origin: true, idsMax: 1 })
    for (const [offset, idMs] of [NOW_MS, NOW_MS - 5, NOW_MS + 5].entries()) indexed(index, record(offset, idMs))
    expect(index.mayBeOlder(0, 'acme', NOW_MS - 5)).toBe(false)
    index.setProjected(Float64Array.of(3))
    expect(index.size).toBe(1)
    expect([NOW_MS - 6, NOW_MS, NOW_MS + 1, NOW_MS + 5].map((ms) => index.mayBeOlder(0, 'acme', ms))).toEqual([
      true,
      true,
      false,
      false,
    ])
  })

  test('asks Postgres for ten minutes when it has dropped an id as far ahead of its time as an event may be', () => {
    const index = indexOf({ origin: true })
    for (const [offset, idMs] of [NOW_MS + 600_000, NOW_MS].entries()) indexed(index, record(offset, idMs))
    index.setProjected(Float64Array.of(2))
    expect(index.mayBeOlder(0, 'acme', NOW_MS + 600_000)).toBe(true)
    expect(index.mayBeOlder(0, 'acme', NOW_MS + 600_001)).toBe(false)
  })
})
