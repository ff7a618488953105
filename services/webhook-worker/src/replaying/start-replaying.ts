import { runLongJobs } from '@ariftly/store'
import { redeliveryJobs } from './redelivery-slice.ts'
import { replayJobs, type ReplayJobsOptions } from './replay-slice.ts'
import type { WorkerParts } from '../worker-parts.ts'

/** Dependencies of replaying. */
export interface ReplayingOptions extends WorkerParts, Required<Pick<ReplayJobsOptions, 'isTickOver' | 'logEnd'>> {}

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
