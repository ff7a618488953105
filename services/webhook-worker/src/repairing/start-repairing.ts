import type { RedisClient } from '../queueing/redis.ts'
import { startBacklogWatch, type BacklogWatch } from './backlog-watch.ts'
import type { Heartbeat } from './heartbeat.ts'
import { watchQueue } from './queue-watch.ts'
import { keepRetention } from './retention.ts'
import { startSweeper } from './sweeper.ts'
import type { WorkerParts } from '../worker-parts.ts'

/** Dependencies of repairing. */
export interface RepairingOptions extends WorkerParts {
  readonly redis: RedisClient
  readonly heartbeat: Heartbeat
}

const SWEEP_MS = 1000

/** Starts what makes lost deliveries due again, counts and expires them. Returns the count. */
export function startRepairing(o: RepairingOptions): Pick<BacklogWatch, 'counts'> {
  const { config, wakeups, metrics, signal, releasers, log } = o
  const db = o.pools.other
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
  const watching = watchQueue({
    redis: o.redis,
    prefix: config.BULLMQ_PREFIX,
    pool: db,
    workerId: o.workerId,
    onReleased(deliveries) {
      metrics.leasesEnded(deliveries)
      wakeups.wakeAll()
    },
    signal,
    log,
  })
  releasers.add('queue watch', () => watching)
  const limits = { perEndpointMax: config.WEBHOOK_PER_ENDPOINT, perTenantMax: config.WEBHOOK_PER_TENANT }
  const backlog = startBacklogWatch({ pool: db, limits, signal, log })
  releasers.add('backlog', () => backlog.ended)
  const retention = keepRetention({ db, onExpired: metrics.expired, signal, log })
  releasers.add('retention', () => retention)
  return backlog
}
