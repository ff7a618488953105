import { setImmediate as nextTurn } from 'node:timers/promises'
import { withTransaction, type Pool, type Transaction } from '@ariftly/store'
import {
  advanceReplay,
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

/** What came of looking for a slice to make. */
export type SliceResult =
  /** No replay runs, or those that do are held by other workers or their webhooks have enough that is due. */
  | { readonly type: 'idle' }
  | {
      readonly type: 'advanced'
      readonly webhookId: string
      readonly deliveries: number
      readonly dryRun: boolean
      /** What judging the payloads took of this thread. */
      readonly judgedMs: number
    }

interface SliceLimits {
  /** Events of a tenant that one slice looks at. */
  readonly eventsMax: number
  /** Whether matching has used up its time in this turn of the event loop: the next payload is parsed in another one. */
  readonly isTurnOver: () => boolean
}

/** Events of a tenant that one slice looks at. */
const EVENTS_PER_SLICE = 1000
/** The same when their payloads are read too, which may be fewer. */
const PAYLOADS_PER_SLICE = 100
/** Deliveries that are due and wait, beyond which a replay adds none: a backlog delays what the webhook gets live. */
const WAITING_MAX = 2000

/**
 * Makes the next slice of the replay whose turn it is. One transaction covers the cursor and the slice's deliveries, so a
 * worker that dies in it has done nothing, and another continues from the same place. Rejects when the slice fails: others have
 * their turn before it is tried again.
 */
export async function makeReplaySlice(
  pool: Pool,
  o: Partial<SliceLimits> & { readonly waitingMax?: number; readonly now?: () => number } = {},
): Promise<SliceResult> {
  const { eventsMax = EVENTS_PER_SLICE, waitingMax = WAITING_MAX, isTurnOver = () => false, now = Date.now } = o
  let id: string | undefined
  try {
    return await withTransaction(pool, async (tx): Promise<SliceResult> => {
      const replay = await lockNextReplay(tx, { waitingMax })
      if (replay === undefined) return { type: 'idle' }
      id = replay.id
      const { webhookId, dryRun } = replay
      if (replay.webhookDeleted) {
        await advanceReplay(tx, { id, next: 'cancelled', scanned: 0, deliveries: 0 })
        return { type: 'advanced', webhookId, deliveries: 0, dryRun, judgedMs: 0 }
      }
      const made = await makeSlice(tx, replay, { eventsMax, isTurnOver, oldestMs: now() - KEPT_MS })
      return { type: 'advanced', webhookId, dryRun, ...made }
    })
  } catch (error) {
    if (id !== undefined) await passReplay(pool, { id })
    throw error
  }
}

async function makeSlice(
  tx: Transaction,
  replay: LockedReplay,
  { eventsMax, isTurnOver, oldestMs }: SliceLimits & { readonly oldestMs: number },
): Promise<{ readonly deliveries: number; readonly judgedMs: number }> {
  const { id, tenant, beforeMs } = replay
  // A replay may wait for days, in which the oldest of its deliveries would have expired. Behind a position no time decides.
  const afterMs = replay.fromEpoch === undefined ? Math.max(replay.afterMs, oldestMs) : oldestMs
  const from = replay.cursor ?? (await nextReplayPartition(tx, { replayId: id, behind: undefined, afterMs }))
  if (from === undefined) {
    await advanceReplay(tx, { id, next: 'completed', scanned: 0, deliveries: 0 })
    return { deliveries: 0, judgedMs: 0 }
  }
  const { epoch, partition } = from
  const payloadFilter = compileText(replay.webhook.filter)
  const withData = payloadFilter?.needsData === true
  const limit = withData ? Math.min(eventsMax, PAYLOADS_PER_SLICE) : eventsMax
  const slice = await readReplaySlice(tx, { tenant, from, beforeMs, limit, withData })
  const wants = createFilter({ ...replay, afterMs }, payloadFilter)
  const events: MatchableEvent[] = []
  let judgedMs = 0
  for (const event of slice.events) {
    while (isTurnOver()) await nextTurn()
    const startedMs = performance.now()
    if (wants(event)) events.push(event)
    if (withData) judgedMs += performance.now() - startedMs
  }
  const deliveries = await replayDeliveries(tx, { replay, epoch, partition, events })
  const last = slice.events.at(-1)
  const next =
    slice.atEnd || last === undefined
      ? await nextReplayPartition(tx, { replayId: id, behind: from, afterMs })
      : { epoch, partition, offset: last.offset + 1 }
  await advanceReplay(tx, { id, next: next ?? 'completed', scanned: slice.events.length, deliveries })
  return { deliveries, judgedMs }
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
