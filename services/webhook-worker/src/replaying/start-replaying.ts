import type { Logger, Releasers } from '@ariftly/runtime'
import { runLongJobs } from '@ariftly/store'
import type { WorkerPools } from '../pools.ts'
import type { Wakeups } from '../queueing/wakeups.ts'
import { redeliveryJobs } from './redelivery-slice.ts'
import { replayJobs, type ReplayJobsOptions } from './replay-slice.ts'

/** Dependencies of replaying. */
export interface ReplayingOptions extends Required<Pick<ReplayJobsOptions, 'isTickOver' | 'logEnd'>> {
  readonly pools: WorkerPools
  readonly wakeups: Wakeups
  readonly signal: AbortSignal
  readonly releasers: Releasers
  readonly log: Logger
}

/** Starts to carry out replays and redeliveries. */
export function startReplaying({ pools, wakeups, signal, releasers, log, isTickOver, logEnd }: ReplayingOptions): void {
  const replays = replayJobs({
    pool: pools.other,
    isTickOver,
    logEnd,
    onReplayed: (webhookId) => wakeups.wake([webhookId]),
  })
  releasers.add('replays', runLongJobs(replays, { signal, log, failing: 'replays cannot continue yet' }).close)
  const redeliveries = redeliveryJobs({ pool: pools.redeliveries, onRedelivered: wakeups.wake })
  releasers.add(
    'redeliveries',
    runLongJobs(redeliveries, { signal, log, failing: 'redeliveries cannot continue yet' }).close,
  )
}
