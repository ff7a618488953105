import type { Logger, Releasers } from '@ariftly/runtime'
import { runLongJobs, type Pool } from '@ariftly/store'
import type { WebhookWorkerConfig } from '../config.ts'
import { redeliveryJobs } from '../replaying/redelivery-slice.ts'
import { replayJobs, type ReplayJobsOptions } from '../replaying/replay-slice.ts'
import type { Wakeups } from '../queueing/wakeups.ts'
import type { WorkerMetrics } from '../worker-metrics.ts'
import { startBacklogWatch, type BacklogWatch } from './backlog-watch.ts'
import type { Heartbeat } from './heartbeat.ts'
import { keepRetention } from './retention.ts'
import { startSweeper } from './sweeper.ts'

/** Dependencies of the upkeep of deliveries. */
export interface UpkeepOptions {
  readonly config: WebhookWorkerConfig
  readonly pool: Pool
  /** Has `LIST_SETTINGS`. */
  readonly redeliveryPool: Pool
  readonly heartbeat: Heartbeat
  /** Whether matching has used up its time in this tick of the event loop. */
  readonly isTickOver: () => boolean
  readonly logEnd: ReplayJobsOptions['logEnd']
  readonly wakeups: Wakeups
  readonly metrics: WorkerMetrics
  readonly signal: AbortSignal
  readonly releasers: Releasers
  readonly log: Logger
}

const SWEEP_MS = 1000

/** Starts what brings lost deliveries back, counts and expires them, and carries out replays and redeliveries. Returns the count. */
export function startUpkeep(o: UpkeepOptions): Pick<BacklogWatch, 'counts'> {
  const { config, pool: db, wakeups, metrics, signal, releasers, log } = o
  const sweeper = startSweeper({
    db,
    everyMs: SWEEP_MS,
    deadMs: config.WEBHOOK_WORKER_DEAD_MS,
    mayRelease: o.heartbeat.steady,
    onReleased(webhookIds, deliveries) {
      metrics.leasesEnded(deliveries)
      wakeups.wake(webhookIds)
    },
    log,
  })
  releasers.add('sweeper', () => sweeper.close())
  const limits = { perEndpointMax: config.WEBHOOK_PER_ENDPOINT, perTenantMax: config.WEBHOOK_PER_TENANT }
  const backlog = startBacklogWatch({ pool: db, limits, signal, log })
  releasers.add('backlog', () => backlog.ended)
  const retention = keepRetention({ db, onExpired: metrics.expired, signal, log })
  releasers.add('retention', () => retention)
  const replays = replayJobs({
    pool: db,
    isTickOver: o.isTickOver,
    logEnd: o.logEnd,
    onReplayed: (webhookId) => wakeups.wake([webhookId]),
  })
  releasers.add('replays', runLongJobs(replays, { signal, log, failing: 'replays cannot continue yet' }).close)
  const redeliveries = redeliveryJobs({ pool: o.redeliveryPool, onRedelivered: wakeups.wake })
  releasers.add(
    'redeliveries',
    runLongJobs(redeliveries, { signal, log, failing: 'redeliveries cannot continue yet' }).close,
  )
  return backlog
}
