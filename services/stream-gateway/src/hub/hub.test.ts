import { setImmediate } from 'node:timers/promises'
import { EVENT_TYPES, newEventId, type EventFilter } from '@ariftly/events'
import type { HistoryPageRequest } from '../history/read-history-page.ts'
import { describe, expect, test } from '@jest/globals'
import { createHistoryReader } from '../epochs/history-reader.ts'
import { event, NOW_MS, setUp, textsOf, viewOf } from './test-hub.ts'

describe('a live stream', () => {
  test('that has too much unsent when an unchecked record arrives continues before that record', () => {
    const { hub, open, tick } = setUp({ unsentBytesMax: 1 })
    const { subscriber } = open('acme')
    expect(subscriber.phase).toBe('live')
    const [first, second] = [event('acme'), event('acme')]
    hub.append({
      partition: 0,
      records: [viewOf(0, first), viewOf(1, second)],
      wanted: new Map([[0, { event: first, state: 'shown' as const, groups: undefined }]]),
      filterVersion: -1,
      nextOffset: 2,
    })
    tick()
    expect([subscriber.phase, subscriber.position[0]]).toEqual(['overfull', 1])
  })

  test('is closed when it has too much unsent for 5 s, and not when its client takes enough before', () => {
    const { hub, open, state, append, tick } = setUp({ unsentBytesMax: 300 })
    const [slow, quick] = [open('acme'), open('acme', { taskId: 't' })]
    append(event('acme', 'x'.repeat(400)))
    tick()
    expect([slow.subscriber.phase, quick.subscriber.phase]).toEqual(['overfull', 'overfull'])
    quick.sink.unsent = 0
    hub.onWritable(quick.subscriber)
    tick()
    state.nowMs = 4999
    hub.closeOverfull(5000)
    expect(state.closed).toEqual([])
    state.nowMs = 5000
    hub.closeOverfull(5000)
    expect(state.closed).toEqual(['slow'])
    expect(quick.subscriber.phase).toBe('live')
  })

  test('is given its position once, and again after a new record', () => {
    const { hub, open, append } = setUp({ unsentBytesMax: 1e6 })
    const { subscriber, sink } = open('acme')
    expect(sink.liveIds).toHaveLength(1)
    expect(hub.checkpoint(subscriber)).toBeUndefined()
    append(event('acme', 'event 1'))
    expect(String(hub.checkpoint(subscriber))).toContain('event: stream.checkpoint\ndata: {}\nid: ')
    // What waited for it is sent before.
    expect(textsOf(sink.blocks)).toEqual(['event 1'])
    expect(hub.checkpoint(subscriber)).toBeUndefined()
  })
})

/** Appends events and reopens streams at the given offsets; each then gets all up to the end. */
function reopen(froms: readonly number[]) {
  const world = setUp({ unsentBytesMax: 1e6, sliceSize: { bytes: 1e6, records: 2 } })
  world.append(...Array.from({ length: 7 }, (_, n) => event('acme', `event ${n}`)))
  const streams = froms.map((from) => world.open('acme', {}, from))
  for (let n = 0; n < 20; n += 1) {
    for (const { sink } of streams) sink.unsent = 0
    for (const { subscriber } of streams) world.hub.onWritable(subscriber)
    world.tick()
  }
  return streams.map(({ sink, subscriber }) => {
    // The first block is the opening one, the last one says that the stream is live.
    const blocks = sink.buffers.slice(1, -1)
    expect(sink.liveIds).toHaveLength(1)
    return { blocks, phase: subscriber.phase, texts: textsOf(blocks.map(String)) }
  })
}

/** 100 streams that are served slowly, another one of their filter, and how many writes a tick made at most. */
function openMany() {
  const world = setUp({ unsentBytesMax: 1e6, writeMs: 0.5 })
  const streams = Array.from({ length: 100 }, () => world.open('acme'))
  world.append(event('acme', 'event 1'))
  const late = world.open('acme')
  let most = 0

  function step(): void {
    late.sink.unsent = 0
    world.hub.onWritable(late.subscriber)
    const before = world.state.written.length
    world.tick()
    most = Math.max(most, world.state.written.length - before)
  }

  return { ...world, streams, late, step, most: () => most }
}

describe('while frames wait for many streams of its filter', () => {
  test('a stream becomes live once they are written, a few in each tick', () => {
    const { late, streams, step, most } = openMany()
    for (let n = 0; n < 5; n += 1) step()
    expect(late.subscriber.phase).toBe('catchingUp')
    for (let n = 0; n < 20; n += 1) step()
    expect([late.subscriber.phase, late.sink.liveIds.length, textsOf(late.sink.blocks)]).toEqual(['live', 1, null])
    for (const { sink } of streams) expect(textsOf(sink.blocks)).toEqual(['event 1'])
    // As many writes as there are between two checks of the clock, and a few for the late stream.
    expect(most()).toBeLessThanOrEqual(12)
  })

  test('an unchecked record makes no tick longer', () => {
    const { hub, streams, step, most, state } = openMany()
    const before = state.written.length
    hub.append({
      partition: 0,
      records: [viewOf(1, event('acme'))],
      wanted: new Map(),
      filterVersion: -1,
      nextOffset: 2,
    })
    expect(state.written).toHaveLength(before)
    for (let n = 0; n < 30; n += 1) step()
    for (const { sink } of streams) expect(textsOf(sink.blocks)).toEqual(['event 1'])
    expect(new Set(streams.map(({ subscriber }) => [subscriber.phase, subscriber.position[0]].join()))).toEqual(
      new Set(['catchingUp,1']),
    )
    expect(most()).toBeLessThanOrEqual(12)
  })

  test('a stream becomes live after a second at the latest, and all get every event once', () => {
    const { append, late, streams, step, state } = openMany()
    let appended = 1
    for (let n = 0; n < 1000 && late.subscriber.phase !== 'live'; n += 1) {
      append(event('acme', 'event 1'))
      appended += 1
      // In the first one it gets the event, in the second one it has room again.
      step()
      step()
    }
    expect(late.subscriber.phase).toBe('live')
    expect(state.nowMs).toBeGreaterThan(1000)
    for (let n = 0; n < 30; n += 1) step()
    expect(textsOf(late.sink.blocks)).toHaveLength(appended - 1)
    for (const { sink } of streams) expect(textsOf(sink.blocks)).toHaveLength(appended)
  })
})

describe('streams of one filter that resume', () => {
  test('from the same position share the bytes in memory', () => {
    const [first, second] = reopen([0, 0])
    const texts = Array.from({ length: 7 }, (_, n) => `event ${n}`)
    expect([first?.texts, second?.texts]).toEqual([texts, texts])
    expect([first?.phase, second?.phase]).toEqual(['live', 'live'])
    // The last slice may grow: each has its own.
    expect(first?.blocks).toHaveLength(4)
    for (let n = 0; n < 3; n += 1) expect(first?.blocks[n]).toBe(second?.blocks[n])
  })

  test('from different positions share the bytes in memory once they have read to the end of the same slice of records', () => {
    const [first, second] = reopen([0, 1])
    expect(first?.texts).toEqual(Array.from({ length: 7 }, (_, n) => `event ${n}`))
    expect(second?.texts).toEqual(Array.from({ length: 6 }, (_, n) => `event ${n + 1}`))
    expect(second?.blocks).toHaveLength(4)
    for (let n = 1; n < 3; n += 1) expect(first?.blocks[n]).toBe(second?.blocks[n])
  })
})

describe('the budget of unsent bytes', () => {
  test('is kept by closing the streams with most unsent bytes of the tenant that has most, and no others', () => {
    const { budget, open, append, tick } = setUp({ unsentBytesMax: 1e6, budgetBytes: 20_000 })
    const rude = Array.from({ length: 12 }, (_, n) => open('rude', n % 2 === 0 ? { taskId: 't' } : {}))
    const calm = open('calm')
    append(event('calm', 'x'.repeat(4000)), event('rude', 'x'.repeat(2000)))
    tick()
    expect(calm.sink.destroyed).toBe(false)
    expect(rude.filter(({ sink }) => sink.destroyed).length).toBeGreaterThan(0)
    expect(budget.closed).toBe(rude.filter(({ sink }) => sink.destroyed).length)
    expect(budget.bytes).toBeLessThanOrEqual(20_000)
  })
})

describe('a tenant with many streams', () => {
  test.each([
    ['of one filter', () => ({})],
    [
      'of as many filters',
      (n: number) => ({ types: EVENT_TYPES.filter((type, at) => type === 'task.progress' || (n >> at) % 2 === 1) }),
    ],
  ])('%s does not hold up the event of another tenant', (_what, filterOf: (n: number) => EventFilter) => {
    const { open, append, tick } = setUp({ unsentBytesMax: 1e6, writeMs: 0.5 })
    const rude = Array.from({ length: 100 }, (_, n) => open('rude', filterOf(n)))
    const calm = open('calm')
    append(event('rude'), event('calm'))
    tick()
    const served = rude.filter(({ sink }) => sink.blocks.length > 0).length
    expect(calm.sink.blocks.length + served).toBeGreaterThan(0)
    tick()
    expect(calm.sink.blocks).toHaveLength(1)
    expect(rude.filter(({ sink }) => sink.blocks.length > 0).length).toBeLessThan(100)
    for (let n = 0; n < 20; n += 1) tick()
    expect(rude.map(({ sink }) => sink.blocks.length)).toEqual(rude.map(() => 1))
  })

  test('whose filters show the same events is given the same memory, and others what they show', () => {
    const { open, append, tick } = setUp({ unsentBytesMax: 1e6 })
    const same = [{}, { taskId: 't' }, { types: ['task.progress' as const] }].map((filter) => open('acme', filter))
    const other = open('acme', { taskId: 'u' })
    append(event('acme', 'event 1'), { ...event('acme', 'event 2'), taskId: 'u' }, event('acme', 'event 3'))
    tick()
    expect(same.map(({ sink }) => textsOf(sink.blocks))).toEqual([
      ['event 1', 'event 2', 'event 3'],
      ['event 1', 'event 3'],
      ['event 1', 'event 2', 'event 3'],
    ])
    expect(textsOf(other.sink.blocks)).toEqual(['event 2'])
    expect(same[0]?.sink.buffers[0]).toBe(same[2]?.sink.buffers[0])
  })

  test.each([0, 0.5])(
    'is served in the order in which its streams opened where filters show the same events (a write takes %d ms)',
    (writeMs) => {
      const { hub, open, append, tick, state } = setUp({ unsentBytesMax: 1e6, writeMs })
      const filters: EventFilter[] = [{}, { taskId: 't' }, { types: ['task.progress'] }]
      const streams = Array.from({ length: 31 }, (_, n) => open('acme', filters[(n * n) % 3]))
      open('acme', { taskId: 'u' })
      state.written.length = 0
      append(event('acme', 'event 1'), event('acme', 'event 2'))
      for (let n = 0; n < 40; n += 1) tick()
      expect(state.written).toEqual(streams.map(({ subscriber }) => subscriber.number))
      for (const { sink } of streams) expect(textsOf(sink.blocks)).toEqual(['event 1', 'event 2'])
      expect(hub.counts.writes).toBe(31)
    },
  )

  test('gets events that arrive before all streams are served once and in order, with any filters', () => {
    const { hub, open, append, tick } = setUp({ unsentBytesMax: 1e6, writeMs: 0.5 })
    const filters: EventFilter[] = [{}, { taskId: 't' }, { types: ['task.progress'] }]
    const streams = Array.from({ length: 60 }, (_, n) => open('acme', filters[n % 3]))
    append(event('acme', 'event 1'))
    tick()
    append(event('acme', 'event 2'))
    tick()
    // The pending frames of one group are written before its position is sent.
    const last = streams.at(-1)
    if (last !== undefined) hub.checkpoint(last.subscriber)
    expect(textsOf(last?.sink.blocks ?? [])).toEqual(['event 1', 'event 2'])
    for (let n = 0; n < 60; n += 1) tick()
    for (const { sink } of streams) expect(textsOf(sink.blocks)).toEqual(['event 1', 'event 2'])
  })

  test('gets no further events while more than its share is unsent, and then all of them', () => {
    const { hub, open, append, tick, state } = setUp({ unsentBytesMax: 1e9 })
    const filters: EventFilter[] = [{}, { taskId: 't' }, { types: ['task.progress'] }]
    const rude = Array.from({ length: 9 }, (_, n) => open('rude', filters[n % 3]))
    const calm = open('calm')
    const padding = 'x'.repeat(200_000)
    // The groups share their frames: 16 MiB are 83 or 84 of them.
    for (let n = 0; n < 120; n += 1) append(event('rude', `event ${n % 10} ${padding}`))
    append(event('calm', 'event 1'), event('rude', 'event 0'))
    tick()
    expect(textsOf(calm.sink.blocks)).toEqual(['event 1'])
    expect(calm.sink.liveIds).toHaveLength(1)
    const texts = [...Array.from({ length: 120 }, (_, n) => `event ${n % 10}`), 'event 0']
    expect(new Set(rude.map(({ sink }) => textsOf(sink.blocks)?.length))).toEqual(new Set([83, 84]))
    for (let turn = 0; turn < 200; turn += 1) {
      for (const { sink } of rude) sink.unsent = 0
      for (const { subscriber } of rude) hub.onWritable(subscriber)
      tick()
    }
    for (const { sink, subscriber } of rude) {
      expect([subscriber.phase, sink.liveIds.length]).toEqual(['live', 2])
      expect(textsOf(sink.blocks)).toEqual(texts)
    }
    expect(state.closed).toEqual([])
  })

  test('does not delay the events of another tenant with few unsent bytes', () => {
    const { open, append, tick } = setUp({ unsentBytesMax: 1e9 })
    const [rude, calm] = [open('rude'), open('calm')]
    for (let n = 0; n < 120; n += 1) {
      append(event('rude', 'x'.repeat(200_000)), event('calm', `event ${n % 10}`))
    }
    tick()
    expect([calm.subscriber.phase, rude.subscriber.phase]).toEqual(['live', 'catchingUp'])
    expect(textsOf(calm.sink.blocks)).toHaveLength(120)
  })

  test.each([0, 0.5])(
    'whose groups are stopped while a block of theirs is unfinished loses nothing (%d ms)',
    (writeMs) => {
      const { hub, open, append, tick } = setUp({ unsentBytesMax: 1e9, writeMs })
      const filters: EventFilter[] = [{}, { taskId: 't' }, { types: ['task.progress'] }]
      const rude = Array.from({ length: 9 }, (_, n) => open('rude', filters[n % 3]))
      append(event('rude', 'event 0'))
      tick()
      for (let n = 0; n < 100; n += 1) append(event('rude', `event 1 ${'x'.repeat(200_000)}`))
      tick()
      append(event('rude', 'event 2'))
      const late = open('rude', {}, 0)
      for (let turn = 0; turn < 400; turn += 1) {
        for (const { sink } of [...rude, late]) sink.unsent = 0
        for (const { subscriber } of [...rude, late]) hub.onWritable(subscriber)
        tick()
      }
      const texts = ['event 0', ...Array.from({ length: 100 }, () => 'event 1'), 'event 2']
      for (const { sink, subscriber } of [...rude, late]) {
        expect(subscriber.phase).toBe('live')
        expect(textsOf(sink.blocks)).toEqual(texts)
      }
    },
  )

  test('gets every event once and in order, also when the next one arrives before all have the previous one', () => {
    const { hub, open, append, tick } = setUp({ unsentBytesMax: 1000, writeMs: 0.5 })
    const streams = Array.from({ length: 40 }, () => open('acme'))
    const last = streams.at(-1)
    append(event('acme', 'event 1'))
    tick()
    expect(last?.sink.blocks).toEqual([])
    if (last !== undefined) last.sink.unsent = 2000
    append(event('acme', 'event 2'))
    const late = open('acme')
    for (let n = 0; n < 20; n += 1) tick()
    for (const { sink } of streams.slice(0, -1)) expect(textsOf(sink.blocks)).toEqual(['event 1', 'event 2'])
    expect(textsOf(late.sink.blocks)).toEqual(null)
    // Too slow for event 2: it continues after event 1.
    expect([last?.subscriber.phase, last?.subscriber.position[0], textsOf(last?.sink.blocks ?? [])]).toEqual([
      'overfull',
      1,
      ['event 1'],
    ])
    expect(hub.ring.position[0]).toBe(2)
  })
})

test('pages of history that are not read cost no more than the budget of the process, though nothing else is written', async () => {
  const row = {
    offset: 5,
    id: newEventId(NOW_MS),
    type: 'task.progress',
    taskId: 't',
    sessionId: null,
    agent: null,
  } as const
  const rows = [{ ...row, appendedAtMs: NOW_MS, data: Buffer.from(`{"task_id":"t","x":"${'x'.repeat(100_000)}"}`) }]
  const page = { nextOffset: 1000, readTo: 1000, cutId: undefined, matching: 1, rows }
  const readHistory = async () => ({ partitions: new Map([[0, page]]), isLarge: false })
  const { budget, open, append, tick } = setUp({ unsentBytesMax: 1e9, budgetBytes: 350_000, start: 1000, readHistory })
  append(event('other'))
  const streams = Array.from({ length: 10 }, () => open('acme', {}, 0))
  for (const { sink } of streams) sink.unsent = 0
  for (let turn = 0; turn < 100; turn += 1) {
    tick()
    await setImmediate()
  }
  expect(streams.map(({ sink }) => sink.blocks.length)).toEqual(streams.map(() => 2))
  expect(budget.bytes).toBeLessThanOrEqual(350_000)
  expect(budget.closed).toBe(streams.filter(({ sink }) => sink.destroyed).length)
})

test.each([
  { name: 'a long task', isLong: true, matching: 1, scans: [true, true, true] },
  { name: 'a task of which much follows', isLong: false, matching: 5001, scans: [false, true, true] },
  { name: 'another task', isLong: false, matching: 1, scans: [false, false, false] },
])('whether a task is long is asked before the first page: $name', async ({ isLong, matching, scans }) => {
  const calls = { isLong: 0, scans: [] as (boolean | undefined)[] }
  const read = createHistoryReader({
    partitions: 1,
    epoch: 1,
    topic: 'events',
    async isLong() {
      calls.isLong += 1
      return isLong
    },
    async read({ positions, scan }: HistoryPageRequest) {
      calls.scans.push(scan)
      const readTo = (positions.get(0) ?? 0) + 1
      return new Map([[0, { nextOffset: 3, readTo, cutId: undefined, matching, rows: [] }]])
    },
  })
  const { hub, open, append, tick } = setUp({
    unsentBytesMax: 1e9,
    start: 3,
    readHistory: (filter, position, { scan }) => read(filter.tenant, filter, position, scan),
  })
  append(event('other'))
  const { subscriber, sink } = open('acme', { taskId: 't' }, 0)
  sink.unsent = 0
  for (let turn = 0; turn < 100; turn += 1) {
    tick()
    await setImmediate()
  }
  expect([subscriber.phase, calls]).toEqual(['live', { isLong: 1, scans }])

  // A record that may be a duplicate: the stream reads history again, in which its task may have become long.
  hub.append({
    partition: 0,
    records: [viewOf(4, event('acme'))],
    wanted: new Map([[4, { event: event('acme'), state: 'unchecked' as const, groups: undefined }]]),
    filterVersion: -1,
    nextOffset: 5,
  })
  expect([subscriber.phase, subscriber.scansHistory]).toEqual(['catchingUp', undefined])
})
