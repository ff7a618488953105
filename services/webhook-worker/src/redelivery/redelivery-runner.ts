import { startPoll } from '@ariftly/fairness'
import { backoffMs, type Logger } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { anyRedeliveryDue } from '@ariftly/store/redeliveries'
import { makeRedeliverySlice } from './redelivery-slice.ts'

/** What the runner needs. */
export interface RedeliveryRunnerOptions {
  /** Has `LIST_SETTINGS`. */
  readonly pool: Pool
  /** Called after each slice that has made deliveries due. */
  readonly onRedelivered: (webhookIds: Iterable<string>) => void
  /** Ends it after the slice that is under way. */
  readonly signal: AbortSignal
  readonly log: Pick<Logger, 'warn'>
}

const IDLE_MS = 1000
/** The rest after a slice, in times of what that took: what other tenants' webhooks need shares Postgres and the thread with it. */
const REST_TIMES = 3

/**
 * Carries out redeliveries slice by slice until the signal aborts: tenants take turns, any number of processes share them, and
 * each continues where the last slice that was committed ended. After each slice it rests for three times as long as that took.
 */
export async function runRedeliveries(o: RedeliveryRunnerOptions): Promise<void> {
  await startPoll({
    step,
    retryMs: backoffMs,
    signal: o.signal,
    log: o.log,
    failing: 'redeliveries cannot continue yet',
  }).ended

  /** Returns how long to wait. */
  async function step(): Promise<number> {
    // One cheap query, as there is hardly ever one.
    if (!(await anyRedeliveryDue(o.pool))) return IDLE_MS
    const startedMs = performance.now()
    const slice = await makeRedeliverySlice(o.pool)
    if (slice.type === 'idle') return IDLE_MS
    if (slice.type === 'failed') o.log.warn({ err: slice.error }, 'a slice of a redelivery failed')
    if (slice.type === 'advanced' && slice.made.size > 0) o.onRedelivered(slice.made.keys())
    return REST_TIMES * (performance.now() - startedMs)
  }
}
