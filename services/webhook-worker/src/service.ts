import { createTickClock } from '@ariftly/async'
import { createEgressPolicy, type EgressPolicy } from '@ariftly/egress'
import { ConfigFault, messageOf, withReleasers, type Readiness, type Running, type ServiceDeps } from '@ariftly/runtime'
import type { WebhookWorkerConfig } from './config.ts'
import { startAttempting } from './attempting/start-attempting.ts'
import { startMatching } from './matching/start-matching.ts'
import { closePools, createPools } from './pools.ts'
import { startHeartbeat } from './repairing/heartbeat.ts'
import { startRepairing } from './repairing/start-repairing.ts'
import { startReplaying } from './replaying/start-replaying.ts'
import { startSettling } from './settling/start-settling.ts'
import { startQueueing } from './queueing/start-queueing.ts'
import { TenantShares } from './queueing/tenant-shares.ts'
import { Wakeups } from './queueing/wakeups.ts'
import { createWorkerMetrics, registerWorkerGauges } from './worker-metrics.ts'

export { webhookWorkerConfig } from './config.ts'

/** Milliseconds of matching per tick, over live events, backlogs and replays. A single event may exceed it. */
const MATCHING_TICK_MS = 3

/**
 * Starts the webhook worker: Kafka → deliveries in Postgres → BullMQ → signed HTTP. Postgres is the truth; Kafka, Postgres
 * and Redis may be unavailable at any time and are waited for. Rejects with ConfigFault, or with Fault `redis_policy` when Redis
 * may evict jobs.
 */
export async function start(config: WebhookWorkerConfig, deps: ServiceDeps): Promise<Running> {
  const policy = readPolicy(config)
  const { log, tracing } = deps
  const { kafka, postgres, redis, statesOf } = deps.backends
  return await withReleasers(log, async (releasers) => {
    const pools = createPools(config, postgres.answered)
    releasers.add('postgres', () => closePools(pools))
    const probe = () => pools.heartbeat.query('SELECT 1')
    releasers.add('watch of Postgres', postgres.watch(probe))
    const metrics = createWorkerMetrics(deps.metrics)
    const wakeups = new Wakeups()
    // It beats until all attempts of this worker have ended.
    const beating = new AbortController()
    const heartbeat = startHeartbeat({
      db: pools.heartbeat,
      deadMs: config.WEBHOOK_WORKER_DEAD_MS,
      signal: beating.signal,
      log,
    })
    releasers.add('heartbeat', async () => {
      beating.abort()
      await heartbeat.ended
    })
    const closing = new AbortController()
    const signal = AbortSignal.any([deps.signal, closing.signal])
    const shared = { config, pools, wakeups, metrics, signal, releasers, log, workerId: heartbeat.id }
    const isTickOver = createTickClock(MATCHING_TICK_MS)
    const healthy = config.WEBHOOK_CONCURRENCY
    const concurrency = { healthy, unhealthy: Math.ceil(healthy / 2) }
    const shares = new TenantShares(concurrency)

    const settling = startSettling({ ...shared, shares })
    const attempting = startAttempting({ ...shared, policy, settling, tracing })
    const queueing = await startQueueing({ ...shared, redis, concurrency, shares, attempting })
    const matching = startMatching({
      config,
      pool: pools.matching,
      kafka,
      isTickOver,
      onMatched(webhookIds, deliveries) {
        metrics.matched(deliveries)
        wakeups.wake(webhookIds)
      },
      log,
      metrics: deps.metrics,
      tracing,
    })
    releasers.add('matching', matching.close)
    const backlog = startRepairing({ ...shared, redis: queueing.queue.producer, heartbeat })
    startReplaying({ ...shared, isTickOver, logEnd: matching.logEnd })
    releasers.add('background', () => closing.abort())
    registerWorkerGauges(deps.metrics, {
      reader: matching.reader,
      active: () => queueing.queue.active,
      backlog: backlog.counts,
    })
    let stopping = false

    function ready(): Readiness {
      const states = statesOf('kafka', 'postgres', 'redis')
      const checks = { log: matching.state(), queue: queueing.queue.state, ...states }
      return { ready: !stopping && queueing.queue.opened && matching.state() === 'ok', checks }
    }

    async function drain(): Promise<void> {
      stopping = true
      await queueing.drain(config.DRAIN_MS / 2)
    }

    return { name: 'webhook-worker', ready, drain, close: () => releasers.close() }
  })
}

function readPolicy(config: WebhookWorkerConfig): EgressPolicy {
  const faults: string[] = []
  if (config.REDIS_MODE === 'cluster' && !/\{[^}]+\}/.test(config.BULLMQ_PREFIX)) {
    faults.push('BULLMQ_PREFIX must have a part in braces with REDIS_MODE cluster, as in {ariftly}')
  }
  if (config.REDIS_MODE === 'sentinel' && config.REDIS_NODES.length === 0) {
    faults.push('REDIS_NODES must name the Sentinels with REDIS_MODE sentinel')
  }
  try {
    const policy = createEgressPolicy({ allowHttp: config.WEBHOOK_ALLOW_HTTP, allowCidrs: config.WEBHOOK_ALLOW_CIDRS })
    if (faults.length === 0) return policy
  } catch (error) {
    faults.push(`WEBHOOK_ALLOW_CIDRS has ${messageOf(error)}`)
  }
  throw new ConfigFault(faults)
}
