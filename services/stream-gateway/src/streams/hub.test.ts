import { TenantTurns } from '@ariftly/async'
import { encodeRecord, newEventId, type LogEvent } from '@ariftly/events'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { recordViewOf } from '@ariftly/testkit'
import { describe, expect, test } from '@jest/globals'
import { createStreamIds } from '../frames/stream-id.ts'
import { streamFilter } from './filter.ts'
import { createHub } from './hub.ts'
import { Subscriber } from './subscriber.ts'
import { UnsentBudget } from './unsent-budget.ts'

const NOW_MS = Date.UTC(2026, 10, 25)

/** A hub of one partition with live streams of tenant `acme` whose clients take nothing. */
function setUp(o: { readonly unsentBytesMax: number; readonly budgetBytes?: number }) {
  const state = { nowMs: 0, ticks: [] as (() => void)[], closed: [] as string[] }
  const budget = new UnsentBudget(o.budgetBytes ?? 1e9)
  const hub = createHub({
    epoch: 1,
    start: Float64Array.of(0),
    fromOrigin: [false],
    ids: createStreamIds(createKeyring(generateEncryptionKey('k'))),
    ringBytesMax: 1e7,
    idsMax: 100,
    unprojectedIdsMax: 1000,
    unsentBytesMax: o.unsentBytesMax,
    budget,
    historyTurns: new TenantTurns({ placesMax: 1 }),
    readHistory: () => new Promise(() => undefined),
    now: () => state.nowMs,
    schedule: (run) => void state.ticks.push(run),
    closeStream: (_subscriber, why) => void state.closed.push(why),
  })

  function open(tenant: string, taskId?: string) {
    const sink = {
      unsent: 0,
      destroyed: false,
      write(block: Buffer) {
        if (hub.ring.length > 0) sink.unsent += block.length
        return sink.unsent
      },
      unsentBytes: () => sink.unsent,
      hasRoom: () => sink.unsent === 0,
      sentBytes: () => 0,
      end: () => undefined,
      destroy: () => {
        sink.destroyed = true
      },
    }
    const filter = streamFilter(tenant, taskId === undefined ? {} : { taskId }, false)
    const subscriber = new Subscriber({ filter, sink, keyId: 'k', partitions: 1, nowMs: 0 })
    hub.begin(subscriber, hub.ring.position, Buffer.from('first'))
    tick()
    return { subscriber, sink }
  }

  function tick(): void {
    for (const run of state.ticks.splice(0)) run()
  }

  return { hub, budget, state, open, tick }
}

function event(tenant: string, text = ''): LogEvent {
  return {
    tenant,
    id: newEventId(NOW_MS),
    type: 'task.progress',
    taskId: 't',
    sessionId: null,
    agent: null,
    data: Buffer.from(`{"task_id":"t","message":"${text}"}`),
    traceparent: null,
  }
}

function viewOf(offset: number, of: LogEvent) {
  return recordViewOf({ partition: 0, offset, timestampMs: NOW_MS, ...encodeRecord(of) })
}

describe('a live stream', () => {
  test('that has too much unsent when a record comes that is not checked yet continues before that record', () => {
    const { hub, open } = setUp({ unsentBytesMax: 1 })
    const { subscriber } = open('acme')
    expect(subscriber.phase).toBe('live')
    const [first, second] = [event('acme'), event('acme')]
    hub.append({
      partition: 0,
      records: [viewOf(0, first), viewOf(1, second)],
      wanted: new Map([[0, { event: first, state: 'shown' as const }]]),
      nextOffset: 2,
    })
    expect([subscriber.phase, subscriber.position[0]]).toEqual(['overfull', 1])
  })

  test('is closed when it has too much unsent for 5 s, and not when its client takes enough before', () => {
    const { hub, open, state, tick } = setUp({ unsentBytesMax: 300 })
    const [slow, quick] = [open('acme'), open('acme', 't')]
    const shown = event('acme', 'x'.repeat(400))
    hub.append({
      partition: 0,
      records: [viewOf(0, shown)],
      wanted: new Map([[0, { event: shown, state: 'shown' as const }]]),
      nextOffset: 1,
    })
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
})

describe('the budget of unsent bytes', () => {
  test('is kept by cutting the largest holders of the tenant that holds most, and no others', () => {
    const { hub, budget, open, tick } = setUp({ unsentBytesMax: 1e6, budgetBytes: 20_000 })
    const rude = Array.from({ length: 12 }, (_, n) => open('rude', n % 2 === 0 ? 't' : undefined))
    const calm = open('calm')
    const records = [event('calm', 'x'.repeat(4000)), event('rude', 'x'.repeat(2000))]
    hub.append({
      partition: 0,
      records: records.map((each, offset) => viewOf(offset, each)),
      wanted: new Map(records.map((each, offset) => [offset, { event: each, state: 'shown' as const }])),
      nextOffset: 2,
    })
    tick()
    expect(calm.sink.destroyed).toBe(false)
    expect(rude.filter(({ sink }) => sink.destroyed).length).toBeGreaterThan(0)
    expect(budget.closed).toBe(rude.filter(({ sink }) => sink.destroyed).length)
    expect(budget.bytes).toBeLessThanOrEqual(20_000)
  })
})
