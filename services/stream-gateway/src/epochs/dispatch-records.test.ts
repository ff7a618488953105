import { setImmediate as immediate } from 'node:timers/promises'
import { TenantTurns } from '@ariftly/fairness'
import { encodeRecord, EVENT_TYPES, newEventId, partitionOf } from '@ariftly/events'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { eventually, recordViewOf, sampleEvent } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'
import { createStreamIds } from '@ariftly/http'
import { streamFilter } from '../hub/filter.ts'
import { Hub } from '../hub/hub.ts'
import { Subscriber, type Sink } from '../hub/subscriber.ts'
import { UnsentBudget } from '../hub/unsent-budget.ts'
import { createDispatch } from './dispatch-records.ts'

const APPENDED_AT_MS = Date.UTC(2026, 10, 26)
const RECORDS = 512
const PARTITIONS = 6
/** Records of each of them: several steps. */
const EACH = 64

test('records that streams want are decoded and appended in steps, and other work runs in between', async () => {
  const { dispatch, hub, written } = await openStream(1)
  const records = Array.from({ length: RECORDS }, (_, offset) => wantedRecord(offset, { partition: 0, partitions: 1 }))
  const counting = new AbortController()
  const counted = countTicks(counting.signal)
  await dispatch({ partition: 0, records, nextOffset: RECORDS }, new AbortController().signal)
  counting.abort()
  const ticks = await counted
  // The hub writes in the event-loop tick after the last step.
  await immediate()
  expect(ticks).toBeGreaterThan(4)
  expect(hub.counts.delivered).toBe(RECORDS)
  expect(
    Buffer.concat(written)
      .toString()
      .match(/event \d+/g),
  ).toEqual(records.map((_, n) => `event ${n}`))
})

test('partitions that are read concurrently share the time of one event-loop tick', async () => {
  const { dispatch, hub } = await openStream(PARTITIONS)
  let records = 0
  let mostInTurn = 0
  function noteTurn(): void {
    mostInTurn = Math.max(mostInTurn, hub.counts.records - records)
    ;({ records } = hub.counts)
    if (records < PARTITIONS * EACH) setImmediate(noteTurn)
  }
  setImmediate(noteTurn)
  const stretches = Array.from({ length: PARTITIONS }, (_, partition) => ({
    partition,
    records: Array.from({ length: EACH }, (_record, offset) =>
      wantedRecord(offset, { partition, partitions: PARTITIONS }),
    ),
    nextOffset: EACH,
  }))
  await Promise.all(stretches.map((stretch) => dispatch(stretch, new AbortController().signal)))
  await immediate()
  expect(hub.counts.delivered).toBe(PARTITIONS * EACH)
  // Each has one step of eight, and the clock allows a few more in all; by a clock of its own each would have several.
  expect(mostInTurn).toBeLessThan(PARTITIONS * 8 * 2)
})

test('records reach the streams of all filters, also when there are too many to remember which ones matched', async () => {
  const { hub, dispatch } = await openStream(1)
  const others = EVENT_TYPES.filter((type) => type !== 'task.progress')
  const filters = Array.from({ length: 40 }, (_, n) =>
    streamFilter('acme', { types: ['task.progress', ...others.filter((_type, bit) => (n & (1 << bit)) !== 0)] }, false),
  )
  for (const filter of filters) {
    const subscriber = new Subscriber({ filter, sink: sinkInto([]), keyId: 'k', partitions: 1, nowMs: 0 })
    hub.begin(subscriber, hub.ring.position, Buffer.from('first'))
  }
  await immediate()
  // With the first one 41 groups, of 512 records: the bound is 16,384.
  expect(hub.filterIndex.size).toBe(1 + filters.length)
  const records = Array.from({ length: RECORDS }, (_, offset) => wantedRecord(offset, { partition: 0, partitions: 1 }))
  await dispatch({ partition: 0, records, nextOffset: RECORDS }, new AbortController().signal)
  await eventually('all streams have all records', () => hub.counts.delivered === RECORDS * (1 + filters.length))
})

test('frames that wait for streams never stop the reading of the log', async () => {
  const ticks: (() => void)[] = []
  const { dispatch, hub, written } = await openStream(1, (run) => void ticks.push(run))
  for (const run of ticks.splice(0)) run()
  const count = 120
  const records = Array.from({ length: count }, (_, offset) =>
    wantedRecord(offset, { partition: 0, partitions: 1, padding: 'x'.repeat(200_000) }),
  )
  // Nothing is written meanwhile, and all of them together are above what may wait.
  await dispatch({ partition: 0, records, nextOffset: count }, AbortSignal.timeout(5_000))
  expect(hub.ring.position[0]).toBe(count)
  expect(hub.counts.delivered).toBe(0)
  while (ticks.length > 0) for (const run of ticks.splice(0)) run()
  const texts = Buffer.concat(written)
    .toString()
    .match(/event \d+/g)
  expect(texts).toEqual(records.map((_, n) => `event ${n}`))
})

/** A hub with a live stream that wants everything, and what hands records to it. */
async function openStream(partitions: number, schedule: (run: () => void) => void = (run) => void setImmediate(run)) {
  let nowMs = 0
  // A clock that advances by a millisecond each time it is read.
  const now = () => (nowMs += 1)
  const hub = new Hub({
    epoch: 1,
    start: new Float64Array(partitions),
    fromOrigin: Array.from({ length: partitions }, () => true),
    ids: createStreamIds(createKeyring(generateEncryptionKey('k'))),
    ringBytesMax: 1e8,
    idsMax: 1000,
    unprojectedIdsMax: 1000,
    unsentBytesMax: 1e6,
    budget: new UnsentBudget(1e9),
    historyTurns: new TenantTurns({ concurrencyMax: 1 }),
    readHistory: () => new Promise(() => undefined),
    lookUps: { lookUp: async () => new Set<number>(), newestTimes: async () => new Map(), onOpened: () => undefined },
    now: () => 0,
    schedule,
    closeStream: () => undefined,
  })
  const written: Buffer[] = []
  const filter = streamFilter('acme', {}, false)
  const subscriber = new Subscriber({ filter, sink: sinkInto(written), keyId: 'k', partitions, nowMs: 0 })
  hub.begin(subscriber, hub.ring.position, Buffer.from('first'))
  await immediate()
  return { hub, written, dispatch: createDispatch({ hub, now }) }
}

/** How many ticks of the event loop there are until the signal. */
async function countTicks(signal: AbortSignal): Promise<number> {
  let ticks = 0
  for (; !signal.aborted; ticks += 1) await immediate()
  return ticks
}

/** An event of a task whose records are in the partition. */
function wantedRecord(
  offset: number,
  o: { readonly partition: number; readonly partitions: number; readonly padding?: string },
) {
  const { partition, partitions, padding = '' } = o
  for (let task = 0; ; task += 1) {
    const taskId = `t${task}`
    const data = Buffer.from(`{"task_id":"${taskId}","message":"event ${offset}${padding}"}`)
    const id = newEventId(APPENDED_AT_MS)
    const encoded = encodeRecord(sampleEvent({ taskId, id, data }))
    if (partitionOf(encoded.key, partitions) !== partition) continue
    return recordViewOf({ partition, offset, timestampMs: APPENDED_AT_MS, ...encoded })
  }
}

function sinkInto(written: Buffer[]): Sink {
  return {
    write(block) {
      written.push(block)
      return 0
    },
    unsentBytes: () => 0,
    hasRoom: () => true,
    sentBytes: () => 0,
    end: () => undefined,
    destroy: () => undefined,
  }
}
