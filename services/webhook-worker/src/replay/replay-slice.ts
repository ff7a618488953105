import { setImmediate as immediate } from 'node:timers/promises'
import type { LongJobs, Pool, Transaction } from '@ariftly/store'
import {
  advanceReplay,
  anyReplayRuns,
  lockNextReplay,
  nextReplayPartition,
  passReplay,
  readReplaySlice,
  replayDeliveries,
  type LockedReplay,
} from '@ariftly/store/replays'
import type { MatchableEvent } from '@ariftly/store/events'
import type { CompiledFilter } from '@ariftly/webhook-filter'
import { KEPT_MS } from '../matching/matcher.ts'
import { compileText, expandTypes } from '../matching/subscription-index.ts'

/** Result of a slice. */
interface ReplaySlice {
  readonly webhookId: string
  readonly dryRun: boolean
  readonly deliveries: number
  /** Time of this thread that the payload filter took. */
  readonly filteredMs: number
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
/** The pause after payloads were filtered, as a multiple of the time that took: attempts share the thread with it. */
const REST_TIMES = 3

/** Replays as long jobs. */
export function replayJobs(o: ReplayJobsOptions): LongJobs<LockedReplay, ReplaySlice> {
  const { pool, eventsMax = EVENTS_PER_SLICE, waitingMax = WAITING_MAX, isTickOver = () => false, now = Date.now } = o
  return {
    pool,
    any: anyReplayRuns,
    lockNext: (tx) => lockNextReplay(tx, { waitingMax }),
    makeSlice: (tx, replay) => makeSlice(tx, replay, { eventsMax, isTickOver, oldestMs: now() - KEPT_MS }),
    passOn: ({ id }) => passReplay(pool, { id }),
    madeSlice({ webhookId, dryRun, deliveries, filteredMs }) {
      if (deliveries > 0 && !dryRun) o.onReplayed(webhookId)
      return REST_TIMES * filteredMs
    },
  }
}

async function makeSlice(
  tx: Transaction,
  replay: LockedReplay,
  { eventsMax, isTickOver, oldestMs }: SliceLimits & { readonly oldestMs: number },
): Promise<ReplaySlice> {
  const { id, tenant, webhookId, dryRun, beforeMs } = replay
  // A replay may wait for days, in which the oldest of its deliveries would have expired. Behind a position no time decides.
  const afterMs = replay.fromEpoch === undefined ? Math.max(replay.afterMs, oldestMs) : oldestMs
  const from = replay.cursor ?? (await nextReplayPartition(tx, { replayId: id, behind: undefined, afterMs }))
  if (from === undefined || replay.webhookDeleted) {
    const next = replay.webhookDeleted ? 'cancelled' : 'completed'
    await advanceReplay(tx, { id, next, scanned: 0, deliveries: 0 })
    return { webhookId, dryRun, deliveries: 0, filteredMs: 0 }
  }
  const { epoch, partition } = from
  const payloadFilter = compileText(replay.webhook.filter)
  const withData = payloadFilter?.needsData === true
  const limit = withData ? Math.min(eventsMax, PAYLOADS_PER_SLICE) : eventsMax
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
  const next =
    slice.atEnd || last === undefined
      ? await nextReplayPartition(tx, { replayId: id, behind: from, afterMs })
      : { epoch, partition, offset: last.offset + 1 }
  await advanceReplay(tx, { id, next: next ?? 'completed', scanned: slice.events.length, deliveries })
  return { webhookId, dryRun, deliveries, filteredMs }
}

function createFilter(
  replay: LockedReplay,
  payloadFilter: CompiledFilter | undefined,
): (event: MatchableEvent) => boolean {
  const { webhook, afterMs, beforeMs } = replay
  const types = expandTypes(webhook.events)
  const asked = replay.types === null ? undefined : new Set(replay.types)
  return (event) =>
    event.appendedAtMs > afterMs &&
    event.appendedAtMs < beforeMs &&
    types.has(event.type) &&
    asked?.has(event.type) !== false &&
    (webhook.taskId === null || webhook.taskId === event.taskId) &&
    (webhook.sessionId === null || webhook.sessionId === event.sessionId) &&
    (webhook.agent === null || webhook.agent === event.agent) &&
    payloadFilter?.matches({ ...event, data: () => JSON.parse(event.data ?? 'null') as unknown }) !== false
}
