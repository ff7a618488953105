import { backoffMs, sleep, type Logger } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { anyReplayRuns } from '@ariftly/store/replays'
import { makeReplaySlice } from './replay-slice.ts'

/** What the runner needs. */
export interface ReplayRunnerOptions {
  readonly pool: Pool
  /** Told after each slice that has made deliveries due. */
  readonly onReplayed: (webhookId: string, deliveries: number) => void
  /** Ends it after the slice that is under way. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
}

const IDLE_MS = 1000
const FULL_MS = 100

/**
 * Carries out replays slice by slice until the signal aborts: those of all webhooks take turns, any number of processes
 * share them, and each goes on where the last slice that was committed ended.
 */
export async function runReplays(o: ReplayRunnerOptions): Promise<void> {
  let failures = 0
  while (!o.signal.aborted) await sleep(await step(), o.signal)

  /** Answers how long to wait. */
  async function step(): Promise<number> {
    try {
      // One cheap look, as there is hardly ever one: a transaction for it is a third of what an idle process does.
      const result = (await anyReplayRuns(o.pool)) ? await makeReplaySlice(o.pool) : ({ type: 'idle' } as const)
      failures = 0
      if (result.type === 'idle') return IDLE_MS
      if (result.type === 'full') return FULL_MS
      if (result.deliveries > 0 && !result.dryRun) o.onReplayed(result.webhookId, result.deliveries)
      return 0
    } catch (error) {
      if (!o.signal.aborted) o.log.warn({ err: error }, 'a slice of a replay failed')
      return backoffMs(failures++)
    }
  }
}
