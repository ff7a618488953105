import {
  encodeRecord,
  EVENT_TYPES,
  matches,
  newEventId,
  RecordAttributes,
  type EventType,
  type LogEvent,
} from '@ariftly/events'
import { byForm, createRandom, randomSeed, recordViewOf, sampleEvent } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'
import { tenantOf } from '../log/record-tenant.ts'
import { createFilterGroups } from './filter-groups.ts'
import { streamFilter, type StreamFilter } from './filter.ts'
import { Subscriber, type Sink } from './subscriber.ts'

const SIZE = byForm({
  short: { tenants: 20, streams: 2000, events: 20_000 },
  long: { tenants: 1000, streams: 100_000, events: 1_000_000 },
})
/** Records that the events are drawn from: streams open and close between two events of the same record. */
const RECORDS = 20_000
/** Streams open and close all the time: one of each per so many events. */
const CHANGE_EVERY = 10
const TASKS = 30
const AGENTS = 5
const SESSIONS = 8

const NO_SINK: Sink = {
  write: () => 0,
  unsentBytes: () => 0,
  hasRoom: () => true,
  sentBytes: () => 0,
  end: () => undefined,
  destroy: () => undefined,
}

test(`${SIZE.events} events go to exactly the streams, of ${SIZE.streams}, that a scan of all the tenant's streams finds`, () => {
  const random = createRandom(randomSeed('routing'))
  const pick = (count: number) => Math.floor(random() * count)
  const index = createFilterGroups<Subscriber>()
  const streams: Subscriber[] = []
  /** All streams of a tenant, as the naive matcher scans them. */
  const ofTenant = new Map<string, Set<Subscriber>>()

  function open(): void {
    const filter = drawFilter(`tenant-${pick(SIZE.tenants)}`)
    const subscriber = new Subscriber({ filter, sink: NO_SINK, keyId: 'k', partitions: 1, nowMs: 0 })
    subscriber.begin(index.groupOf(filter), Float64Array.of(0))
    if (pick(4) > 0) subscriber.goLive(0)
    streams.push(subscriber)
    const others = ofTenant.get(filter.tenant) ?? new Set()
    ofTenant.set(filter.tenant, others.add(subscriber))
  }

  function closeOne(): void {
    const at = pick(streams.length)
    const subscriber = streams[at]
    const last = streams.pop()
    if (subscriber === undefined || last === undefined) return
    if (last !== subscriber) streams[at] = last
    ofTenant.get(subscriber.filter.tenant)?.delete(subscriber)
    const empty = subscriber.close()
    if (empty !== undefined) index.remove(empty)
  }

  function drawFilter(tenant: string): StreamFilter {
    const types = EVENT_TYPES.filter(() => pick(3) === 0)
    return streamFilter(
      tenant,
      {
        ...(pick(2) === 0 ? { taskId: `task-${pick(TASKS)}` } : {}),
        ...(pick(5) === 0 ? { sessionId: `session-${pick(SESSIONS)}` } : {}),
        ...(pick(3) === 0 ? { agent: `agent-${pick(AGENTS)}` } : {}),
        ...(types.length > 0 && pick(2) === 0 ? { types } : {}),
      },
      pick(2) === 0,
    )
  }

  function drawEvent(): LogEvent {
    const type = EVENT_TYPES[pick(EVENT_TYPES.length)] as EventType
    const taskId = `task-${pick(TASKS)}`
    return sampleEvent({
      tenant: `tenant-${pick(SIZE.tenants)}`,
      id: newEventId(Date.UTC(2026, 10, 25)),
      type,
      taskId,
      sessionId: type.startsWith('session.') || pick(3) === 0 ? `session-${pick(SESSIONS)}` : null,
      agent: pick(2) === 0 ? `agent-${pick(AGENTS)}` : null,
      data: Buffer.from(`{"task_id":"${taskId}"}`),
    })
  }

  const records = Array.from({ length: RECORDS }, (_, offset) => {
    const event = drawEvent()
    const record = recordViewOf({ partition: 0, offset, timestampMs: 0, ...encodeRecord(event) })
    const tenant = tenantOf(record) ?? ''
    return { event, tenant, attributes: new RecordAttributes(record, tenant) }
  })
  for (let n = 0; n < SIZE.streams; n += 1) open()
  let deliveries = 0
  const found = new Set<Subscriber>()
  for (let n = 0; n < SIZE.events; n += 1) {
    const drawn = records[pick(RECORDS)]
    if (drawn === undefined) throw new Error('no record was drawn')
    const { event, tenant, attributes } = drawn
    found.clear()
    let count = 0
    if (index.has(tenant)) {
      for (const { subscribers } of index.groupsFor(attributes)) {
        for (const subscriber of subscribers) found.add(subscriber)
        count += subscribers.size
      }
    }
    let expected = 0
    let missed = 0
    for (const subscriber of ofTenant.get(event.tenant) ?? []) {
      if (!matches(subscriber.filter, event)) continue
      expected += 1
      if (!found.has(subscriber)) missed += 1
    }
    if (count !== expected || missed > 0) {
      throw new Error(`event ${n} goes to ${count} streams, ${missed} are missed, and should go to ${expected}`)
    }
    deliveries += count
    if (n % CHANGE_EVERY === 0) {
      closeOne()
      open()
    }
  }
  expect(deliveries).toBeGreaterThan(SIZE.events)
  while (streams.length > 0) closeOne()
  expect(index.size).toBe(0)
}, 600_000)
