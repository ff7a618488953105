import { startPoll } from '@ariftly/fairness'
import { backoffMs, type Logger } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { anyReplayRuns } from '@ariftly/store/replays'
import { makeReplaySlice } from './replay-slice.ts'

/** What the runner needs. */
export interface ReplayRunnerOptions {
  readonly pool: Pool
  /** Whether matching has used up its time in this turn of the event loop. */
  readonly isTurnOver: () => boolean
  /** Called after each slice that has made deliveries due. */
  readonly onReplayed: (webhookId: string, deliveries: number) => void
  /** Ends it after the slice that is under way. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
}

const IDLE_MS = 1000
/** While replays run, but none that was judged may go on now: the others are judged soon, and all of them now and then. */
const FULL_MS = { baseMs: 10, maxMs: 250 } as const
/** The rest after payloads were judged, in times of what that took: attempts share the thread with it. */
const REST_TIMES = 3

/**
 * Carries out replays slice by slice until the signal aborts: tenants take turns, any number of processes share the work, and
 * each replay continues where the last slice that was committed ended.
 */
export async function runReplays(o: ReplayRunnerOptions): Promise<void> {
  let fullLooks = 0
  await startPoll({ step, retryMs: backoffMs, signal: o.signal, log: o.log, failing: 'replays cannot continue yet' })
    .ended

  /** Returns how long to wait. */
  async function step(): Promise<number> {
    // One cheap query, as there is hardly ever one: a transaction for it is a third of what an idle process does.
    if (!(await anyReplayRuns(o.pool))) return IDLE_MS
    const result = await makeReplaySlice(o.pool, { isTurnOver: o.isTurnOver })
    if (result.type === 'idle') return backoffMs(fullLooks++, FULL_MS)
    fullLooks = 0
    if (result.deliveries > 0 && !result.dryRun) o.onReplayed(result.webhookId, result.deliveries)
    return REST_TIMES * result.judgedMs
  }
}
