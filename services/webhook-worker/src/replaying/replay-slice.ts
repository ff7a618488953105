import { setImmediate as immediate } from 'node:timers/promises'
import { matches, tenantFilter } from '@ariftly/events'
import type { LongJobs, Pool, Transaction } from '@ariftly/store'
import { advanceReplay, anyReplayRuns, lockNextReplay, passReplay, type LockedReplay } from './lock-next-replay.ts'
import { nextReplayPartition, readReplayReach, readReplaySlice } from './read-replay-slice.ts'
import { replayDeliveries } from './replay-deliveries.ts'
import type { MatchableEvent } from '../matching/read-matchable-events.ts'
import type { CompiledFilter } from '@ariftly/webhook-filter'
import { KEPT_MS } from '../matching/delivery-partitions.ts'
import { compileText } from '../matching/subscription-index.ts'
import { LogEnds, type LogPlace } from './log-ends.ts'

/** Result of a slice. */
interface ReplaySlice {
  readonly replayId: string
  readonly webhookId: string
  readonly dryRun: boolean
  readonly deliveries: number
  /** Time of this thread that the payload filter took. */
  readonly filteredMs: number
  /** Whether the next events of the replay are still to be projected. */
  readonly isWaiting?: boolean
  /** The partition whose end the next slice needs. */
  readonly needsEndOf?: LogPlace | undefined
  readonly isEnded?: boolean
}

interface SliceLimits {
  /** Events of a tenant that one slice reads. */
  readonly eventsMax: number
  /** Whether matching has used up its time in this tick of the event loop: the next payload is parsed in another one. */
  readonly isTickOver: () => boolean
}

/** Dependencies of replays. */
export interface ReplayJobsOptions extends Partial<SliceLimits> {
  readonly pool: Pool
  /** Asks Kafka which offset the next record of a partition of the log's newest epoch will get. */
  readonly logEnd: (partition: number) => Promise<number>
  /** Called after each slice that has made deliveries due. */
  readonly onReplayed: (webhookId: string) => void
  readonly waitingMax?: number
  readonly now?: () => number
}

/** Events of a tenant that one slice reads. */
const EVENTS_PER_SLICE = 1000
/** The same when their payloads are read too, which may be fewer. */
const PAYLOADS_PER_SLICE = 100
/** Deliveries that are due and wait, beyond which a replay adds none: a backlog delays what the webhook gets live. */
const WAITING_MAX = 2000
/** Until the projection is asked again whether it has reached the end of the log. */
const PROJECTION_WAIT_MS = 250

/** Replays as long jobs. */
export function replayJobs(o: ReplayJobsOptions): LongJobs<LockedReplay, ReplaySlice> {
  const { pool, eventsMax = EVENTS_PER_SLICE, waitingMax = WAITING_MAX, isTickOver = () => false, now = Date.now } = o
  const ends = new LogEnds(o.logEnd)
  return {
    pool,
    any: anyReplayRuns,
    lockNext: (tx) => lockNextReplay(tx, { waitingMax }),
    makeSlice: (tx, replay) =>
      makeSlice(tx, replay, {
        eventsMax,
        isTickOver,
        logEnd: (place) => ends.of(replay.id, place),
        oldestMs: now() - KEPT_MS,
      }),
    passOn: ({ id }) => passReplay(pool, { id }),
    async madeSlice({ replayId, webhookId, dryRun, deliveries, filteredMs, isWaiting, needsEndOf, isEnded }) {
      if (isEnded === true) ends.forget(replayId)
      if (deliveries > 0 && !dryRun) o.onReplayed(webhookId)
      if (needsEndOf !== undefined) await ends.ask(replayId, needsEndOf)
      return { usedMs: filteredMs, atLeastMs: isWaiting === true ? PROJECTION_WAIT_MS : 0 }
    },
  }
}

async function makeSlice(
  tx: Transaction,
  replay: LockedReplay,
  o: SliceLimits & { readonly logEnd: (place: LogPlace) => number | undefined; readonly oldestMs: number },
): Promise<ReplaySlice> {
  const { id, tenant, webhookId, dryRun, beforeMs } = replay
  const { eventsMax, isTickOver, oldestMs } = o
  // A replay may wait for days, in which the oldest of its deliveries would have expired. Behind a position no time decides.
  const afterMs = replay.fromEpoch === undefined ? Math.max(replay.afterMs, oldestMs) : oldestMs
  const from = replay.cursor ?? (await nextReplayPartition(tx, { replayId: id, behind: undefined, afterMs }))
  if (from === undefined || replay.webhookDeleted) {
    const next = replay.webhookDeleted ? 'cancelled' : 'completed'
    await advanceReplay(tx, { id, next, scanned: 0, deliveries: 0 })
    return { replayId: id, webhookId, dryRun, deliveries: 0, filteredMs: 0, isEnded: true }
  }
  const { epoch, partition } = from
  const payloadFilter = compileText(replay.webhook.filter)
  const withData = payloadFilter?.needsData === true
  const limit = withData ? Math.min(eventsMax, PAYLOADS_PER_SLICE) : eventsMax
  const reach = await readReplayReach(tx, { from, beforeMs })
  const slice = await readReplaySlice(tx, { tenant, from, beforeMs, limit, withData })
  const wants = createFilter({ ...replay, afterMs }, payloadFilter)
  const events: MatchableEvent[] = []
  let filteredMs = 0
  for (const event of slice.events) {
    while (isTickOver()) await immediate()
    const startedMs = performance.now()
    if (wants(event)) events.push(event)
    if (withData) filteredMs += performance.now() - startedMs
  }
  const deliveries = await replayDeliveries(tx, { replay, epoch, partition, events })
  const last = slice.events.at(-1)
  const isEmpty = last === undefined
  const logEnd = reach.isOpen && slice.atEnd ? o.logEnd(from) : 0
  const needsEndOf = logEnd === undefined ? from : undefined
  const isDone = slice.atEnd && (!reach.isOpen || (logEnd !== undefined && reach.nextOffset >= logEnd))
  const next = isDone
    ? ((await nextReplayPartition(tx, { replayId: id, behind: from, afterMs })) ?? 'completed')
    : { epoch, partition, offset: isEmpty ? from.offset : last.offset + 1 }
  await advanceReplay(tx, { id, next, scanned: slice.events.length, deliveries })
  const isWaiting = isEmpty && !isDone && needsEndOf === undefined
  return {
    replayId: id,
    webhookId,
    dryRun,
    deliveries,
    filteredMs,
    isWaiting,
    needsEndOf,
    isEnded: next === 'completed',
  }
}

function createFilter(
  replay: LockedReplay,
  payloadFilter: CompiledFilter | undefined,
): (event: MatchableEvent) => boolean {
  const { tenant, webhook, afterMs, beforeMs } = replay
  const filter = tenantFilter(tenant, { ...webhook, types: webhook.events })
  const asked = replay.types === null ? undefined : new Set(replay.types)
  return (event) =>
    event.appendedAtMs > afterMs &&
    event.appendedAtMs < beforeMs &&
    asked?.has(event.type) !== false &&
    matches(filter, { ...event, tenant }) &&
    payloadFilter?.matches(event, { data: () => JSON.parse(event.data ?? 'null') as unknown }) !== false
}
