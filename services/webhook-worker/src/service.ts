import { createTickClock } from '@ariftly/async'
import { createEgressPolicy, type EgressPolicy } from '@ariftly/egress'
import { ConfigFault, messageOf, withReleasers, type Readiness, type Running, type ServiceDeps } from '@ariftly/runtime'
import type { WebhookWorkerConfig } from './config.ts'
import { startDelivering } from './start-delivering.ts'
import { startMatching } from './matching/start-matching.ts'
import { closePools, createPools } from './pools.ts'
import { startHeartbeat } from './repairing/heartbeat.ts'
import { startUpkeep } from './repairing/start-upkeep.ts'
import { Wakeups } from './queueing/wakeups.ts'
import { createWorkerMetrics, registerWorkerGauges } from './worker-metrics.ts'
export { webhookWorkerConfig } from './config.ts'

/** So long events are matched in one tick of the event loop, live, from backlogs and for replays together, ms; one event may go beyond it. */
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
    const shared = { config, wakeups, metrics, signal, releasers, log }
    const isTickOver = createTickClock(MATCHING_TICK_MS)

    const delivering = await startDelivering({ ...shared, policy, pools, redis, workerId: heartbeat.id, tracing })
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
    const backlog = startUpkeep({
      ...shared,
      pool: pools.other,
      redeliveryPool: pools.redeliveries,
      heartbeat,
      isTickOver,
      logEnd: matching.logEnd,
    })
    releasers.add('background', () => closing.abort())
    registerWorkerGauges(deps.metrics, {
      reader: matching.reader,
      active: () => delivering.queue.active,
      backlog: backlog.counts,
    })
    let stopping = false

    function ready(): Readiness {
      const states = statesOf('kafka', 'postgres', 'redis')
      const checks = { log: matching.state(), queue: delivering.queue.state, ...states }
      return { ready: !stopping && delivering.queue.opened && matching.state() === 'ok', checks }
    }

    async function drain(): Promise<void> {
      stopping = true
      await delivering.drain(config.DRAIN_MS / 2)
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
