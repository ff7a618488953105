import { setImmediate as nextTurn } from 'node:timers/promises'
import { TenantTurns } from '@ariftly/async'
import { encodeRecord, newEventId, partitionOf } from '@ariftly/events'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { recordViewOf } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'
import { createStreamIds } from '../frames/stream-id.ts'
import { createHub } from '../streams/hub.ts'
import { streamFilter } from '../streams/filter.ts'
import { Subscriber, type Sink } from '../streams/subscriber.ts'
import { UnsentBudget } from '../streams/unsent-budget.ts'
import { createDispatch } from './dispatch-records.ts'
import { createDuplicateCheck } from './duplicate-check.ts'

const APPENDED_AT_MS = Date.UTC(2026, 10, 26)
const RECORDS = 512

test('records that streams want are decoded and handed on in steps, between which other work has its turn', async () => {
  let nowMs = 0
  // A clock by which each look at it costs a millisecond.
  const now = () => (nowMs += 1)
  const hub = createHub({
    epoch: 1,
    start: Float64Array.of(0),
    fromOrigin: [true],
    ids: createStreamIds(createKeyring(generateEncryptionKey('k'))),
    ringBytesMax: 1e7,
    idsMax: 1000,
    unprojectedIdsMax: 1000,
    unsentBytesMax: 1e6,
    budget: new UnsentBudget(1e9),
    historyTurns: new TenantTurns({ placesMax: 1 }),
    readHistory: () => new Promise(() => undefined),
    now: () => 0,
    schedule: (run) => void setImmediate(run),
    closeStream: () => undefined,
  })
  const written: Buffer[] = []
  const filter = streamFilter('acme', {}, false)
  const subscriber = new Subscriber({ filter, sink: sinkInto(written), keyId: 'k', partitions: 1, nowMs: 0 })
  hub.begin(subscriber, hub.ring.position, Buffer.from('first'))
  await nextTurn()
  const duplicates = createDuplicateCheck({
    index: { find: hub.earlierOf, mayBeOlder: (...asked) => hub.ids.mayBeOlder(...asked) },
    lookUp: async () => new Set<number>(),
    now: () => 0,
    onOpened: () => undefined,
  })
  const records = Array.from({ length: RECORDS }, (_, offset) => wantedRecord(offset))
  const counting = new AbortController()
  const counted = countTurns(counting.signal)
  const dispatch = createDispatch({ hub, duplicates, now })
  await dispatch({ partition: 0, records, nextOffset: RECORDS }, new AbortController().signal)
  counting.abort()
  const turns = await counted
  // The hub writes in the turn after the last step.
  await nextTurn()
  expect(turns).toBeGreaterThan(4)
  expect(hub.counts.delivered).toBe(RECORDS)
  expect(
    Buffer.concat(written)
      .toString()
      .match(/event \d+/g),
  ).toEqual(records.map((_, n) => `event ${n}`))
})

/** How many turns of the event loop there are until the signal. */
async function countTurns(signal: AbortSignal): Promise<number> {
  let turns = 0
  for (; !signal.aborted; turns += 1) await nextTurn()
  return turns
}

function wantedRecord(offset: number) {
  const data = Buffer.from(`{"task_id":"t","message":"event ${offset}"}`)
  const id = newEventId(APPENDED_AT_MS)
  const event = { tenant: 'acme', type: 'task.progress', taskId: 't', sessionId: null, agent: null } as const
  const encoded = encodeRecord({ ...event, id, data, traceparent: null })
  return recordViewOf({ partition: partitionOf(encoded.key, 1), offset, timestampMs: APPENDED_AT_MS, ...encoded })
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
