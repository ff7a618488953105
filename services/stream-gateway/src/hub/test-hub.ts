import { TenantTurns } from '@ariftly/fairness'
import { encodeRecord, newEventId, type EventFilter, type LogEvent } from '@ariftly/events'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { recordViewOf, sampleEvent } from '@ariftly/testkit'
import { createStreamIds } from '@ariftly/http'
import { streamFilter } from './filter.ts'
import type { HubOptions, SliceSize } from './hub-options.ts'
import { Hub } from './hub.ts'
import { Subscriber } from './subscriber.ts'
import { UnsentBudget } from './unsent-budget.ts'

/** The clock of the tests' events. */
export const NOW_MS = Date.UTC(2026, 10, 25)
const LIVE = /event: stream\.checkpoint\ndata: \{"live":true\}\nid: (\S+)\n\n/g

/** A hub of one partition whose streams take nothing; each write to one takes `writeMs` of its clock. */
export function setUp(o: {
  readonly unsentBytesMax: number
  readonly budgetBytes?: number
  readonly writeMs?: number
  readonly sliceSize?: SliceSize
  /** Where the ring begins. */
  readonly start?: number
  readonly readHistory?: HubOptions['readHistory']
}) {
  const state = { nowMs: 0, ticks: [] as (() => void)[], closed: [] as string[], written: [] as number[] }
  const budget = new UnsentBudget(o.budgetBytes ?? 1e9)
  const ids = createStreamIds(createKeyring(generateEncryptionKey('k')))
  const hub = new Hub({
    epoch: 1,
    start: Float64Array.of(o.start ?? 0),
    fromOrigin: [false],
    ids,
    ringBytesMax: 1e8,
    idsMax: 100,
    unprojectedIdsMax: 1000,
    unsentBytesMax: o.unsentBytesMax,
    ...(o.sliceSize === undefined ? {} : { sliceSize: o.sliceSize }),
    budget,
    historyTurns: new TenantTurns({ concurrencyMax: 1 }),
    readHistory: o.readHistory ?? (() => new Promise(() => undefined)),
    lookUps: { lookUp: async () => new Set<number>(), newestTimes: async () => new Map(), onOpened: () => undefined },
    now: () => state.nowMs,
    schedule: (run) => void state.ticks.push(run),
    closeStream: (_subscriber, why) => void state.closed.push(why),
  })

  let opened = 0

  function open(tenant: string, wanted: EventFilter = {}, from = hub.ring.position[0] ?? 0) {
    opened += 1
    const number = opened
    const sink = {
      unsent: 0,
      destroyed: false,
      blocks: [] as string[],
      buffers: [] as Buffer[],
      /** Ids of the checkpoints that say that it is live; of all that was written. */
      liveIds: [] as string[],
      write(block: Buffer) {
        sink.liveIds.push(...Array.from(String(block).matchAll(LIVE), ([, id]) => id ?? ''))
        if (hub.ring.length === 0) return 0
        sink.unsent += block.length
        sink.blocks.push(block.toString())
        sink.buffers.push(block)
        state.nowMs += o.writeMs ?? 0
        state.written.push(number)
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
    const filter = streamFilter(tenant, wanted, false)
    const subscriber = new Subscriber({ number, filter, sink, keyId: 'k', partitions: 1, nowMs: 0 })
    hub.begin(subscriber, Float64Array.of(from), Buffer.from('first'))
    if (from === hub.ring.position[0]) tick()
    return { subscriber, sink }
  }

  function tick(): void {
    for (const run of state.ticks.splice(0)) run()
  }

  function append(...events: readonly LogEvent[]): void {
    const from = hub.ring.position[0] ?? 0
    hub.append({
      partition: 0,
      records: events.map((each, index) => viewOf(from + index, each)),
      wanted: new Map(
        events.map((each, index) => [from + index, { event: each, state: 'shown' as const, groups: undefined }]),
      ),
      filterVersion: -1,
      nextOffset: from + events.length,
    })
  }

  return { hub, ids, budget, state, open, append, tick }
}

/** An event of a tenant, with a text. */
export function event(tenant: string, text = ''): LogEvent {
  return sampleEvent({ tenant, id: newEventId(NOW_MS), data: Buffer.from(`{"task_id":"t","message":"${text}"}`) })
}

/** An event as a record of the partition. */
export function viewOf(offset: number, of: LogEvent) {
  return recordViewOf({ partition: 0, offset, timestampMs: NOW_MS, ...encodeRecord(of) })
}

/** The texts `event <digit>` that blocks show, in order; null when there are none. */
export function textsOf(blocks: readonly string[]): readonly string[] | null {
  return blocks.join('').match(/event \d/g)
}
