import { createEgress, createEgressPolicy, type EgressPolicy } from '@ariftly/egress'
import { createKeyring } from '@ariftly/keyring'
import {
  ConfigFault,
  databaseConnection,
  messageOf,
  redisConnection,
  sleep,
  withReleasers,
  type Readiness,
  type Running,
  type ServiceDeps,
} from '@ariftly/runtime'
import { createPool, SERVICE_ROLE, type Pool } from '@ariftly/store'
import {
  disableWebhook,
  startAttempts,
  type AttemptRef,
  type StartedAttempt,
  type TriedEndpoint,
} from '@ariftly/store/deliveries'
import { startBacklogWatch, type BacklogWatch } from './backlog-watch.ts'
import { createBatcher } from './batcher.ts'
import type { WebhookWorkerConfig } from './config.ts'
import { createDeliver } from './deliver.ts'
import { openDeliveryQueue } from './delivery-queue.ts'
import { startFeeder, type Feeder } from './feeder.ts'
import { startMatching, type Matching } from './matching.ts'
import { createOutcomeWriter } from './outcome-writer.ts'
import { createRememberingKeyring } from './remembering-keyring.ts'
import { runReplays } from './replay/replay-runner.ts'
import { keepRetention } from './retention.ts'
import { RETRY_SCHEDULE_S } from './retry-plan.ts'
import { startSweeper } from './sweeper.ts'
import { createWorkerMetrics } from './worker-metrics.ts'

export { webhookWorkerConfig, type WebhookWorkerConfig } from './config.ts'

const FAILING_AFTER = 10
const PROBE_DOUBLINGS = 30
/**
 * Every statement of the worker finds its rows by index. Plans are kept, and one that was made while a partition was still
 * empty must not read all of it once it is full.
 */
const SESSION_SETTINGS = { enable_seqscan: 'off', enable_mergejoin: 'off' }
/**
 * What a crash of Postgres may undo without harm need not wait for its disk: matches go together with their position and are
 * written again, a queued delivery is pending again, and one that was under way is sent again as after any crash. Only
 * outcomes must stay, and an outcome's commit flushes all that came before it.
 */
const REPEATABLE = { synchronous_commit: 'off' }

/**
 * Starts the webhook worker: Kafka → deliveries in Postgres → BullMQ → signed HTTP. Postgres is the truth; Kafka, Postgres
 * and Redis may be away at any time and are waited for. Rejects with ConfigFault, or with Fault `redis_policy` when Redis
 * may evict jobs.
 */
export async function start(config: WebhookWorkerConfig, deps: ServiceDeps): Promise<Running> {
  const policy = readPolicy(config)
  const { log, tracing } = deps
  return await withReleasers(log, async (releasers) => {
    const keyring = createRememberingKeyring(createKeyring(config.ENCRYPTION_KEYS))
    const closing = new AbortController()
    const outcomesEnd = new AbortController()
    const signal = AbortSignal.any([deps.signal, closing.signal])
    let stopping = false
    let feeder: Feeder | undefined
    let matching: Matching | undefined
    let backlog: BacklogWatch | undefined

    const matcherPool = openPool(config, 'webhook-matcher', 6, REPEATABLE)
    const pool = openPool(config, 'webhook-worker', 8, REPEATABLE)
    const outcomePool = openPool(config, 'webhook-outcomes', 3)
    const pools = [matcherPool, pool, outcomePool]
    releasers.add('postgres', async () => void (await Promise.all(pools.map((one) => one.end()))))
    const metrics = createWorkerMetrics(deps.metrics, {
      reader: () => matching?.reader(),
      active: () => queue.active(),
      backlog: () => backlog?.counts(),
    })

    async function disable({ webhookId, endpointVersion }: TriedEndpoint, reason: 'gone' | 'failures'): Promise<void> {
      try {
        if (!(await disableWebhook(outcomePool, { webhookId, endpointVersion, reason }))) return
        log.warn({ webhook: webhookId, reason }, 'a webhook was disabled')
        metrics.disabled(reason)
      } catch (error) {
        log.warn({ err: error, webhook: webhookId, reason }, 'a webhook could not be disabled')
      }
    }

    const egress = createEgress({ policy })
    const outcomes = createOutcomeWriter({
      db: outcomePool,
      failing: {
        after: FAILING_AFTER,
        probeMs: config.WEBHOOK_PROBE_MS,
        probeMsMax: PROBE_DOUBLINGS * config.WEBHOOK_PROBE_MS,
        disableMs: config.WEBHOOK_DISABLE_AFTER_S * 1000,
      },
      onRecorded(webhookIds, { toDisable }) {
        feeder?.wake(webhookIds)
        for (const endpoint of toDisable) void disable(endpoint, 'failures')
      },
      signal: outcomesEnd.signal,
      log,
    })
    const deliver = createDeliver({
      starts: createStarts(pool, config.WEBHOOK_LEASE_MS),
      outcomes,
      egress,
      keyring,
      scheduleS: config.WEBHOOK_RETRY_SCHEDULE_S ?? RETRY_SCHEDULE_S,
      timeoutMs: config.WEBHOOK_TIMEOUT_MS,
      stopping: () => stopping,
      onGone: (endpoint) => void disable(endpoint, 'gone'),
      observe: metrics.attempted,
      log,
      tracing,
    })
    const queue = await openDeliveryQueue({
      redis: redisConnection(config),
      prefix: config.BULLMQ_PREFIX,
      concurrency: { fast: config.WEBHOOK_CONCURRENCY, suspect: config.WEBHOOK_SUSPECT_CONCURRENCY },
      process: deliver,
      onReady: () => feeder?.wakeAll(),
      signal,
      log,
    })
    releasers.add('queue', queue.close)
    // What is under way is cut and given back, so that other workers need not wait for its lease.
    releasers.add('attempts', async () => {
      stopping = true
      queue.pause()
      await egress.close()
      await settled(() => queue.active() === 0, 2000)
      outcomesEnd.abort()
    })

    feeder = startFeeder({
      pool,
      enqueue: queue.add,
      canEnqueue: queue.ready,
      perEndpointMax: config.WEBHOOK_PER_ENDPOINT,
      perTenantMax: config.WEBHOOK_PER_TENANT,
      leaseMs: config.WEBHOOK_LEASE_MS,
      onQueued: metrics.queued,
      log,
    })
    releasers.add('feeder', feeder.close)
    const { wake } = feeder
    const sweeper = startSweeper({
      db: pool,
      everyMs: Math.min(2000, config.WEBHOOK_LEASE_MS / 4),
      onReleased(webhookIds, deliveries) {
        metrics.leasesEnded(deliveries)
        wake(webhookIds)
      },
      log,
    })
    releasers.add('sweeper', sweeper.close)
    const watch = startBacklogWatch({ pool, signal, log })
    backlog = watch
    releasers.add('backlog', () => watch.ended)
    const retention = keepRetention({ db: pool, onExpired: metrics.expired, signal, log })
    releasers.add('retention', () => retention)
    const replays = runReplays({ pool, onReplayed: (webhookId) => wake([webhookId]), signal, log })
    releasers.add('replays', () => replays)
    const reading = startMatching({
      config,
      pool: matcherPool,
      onMatched(webhookIds, deliveries) {
        metrics.matched(deliveries)
        wake(webhookIds)
      },
      log,
      metrics: deps.metrics,
      tracing,
    })
    matching = reading
    releasers.add('matching', reading.close)
    releasers.add('background', () => closing.abort())

    function ready(): Readiness {
      const checks = { log: reading.state(), redis: queue.state() }
      return { ready: !stopping && queue.opened() && reading.state() === 'ok', checks }
    }

    async function drain(): Promise<void> {
      stopping = true
      queue.pause()
      await Promise.all([feeder?.close(), settled(() => queue.active() === 0, config.DRAIN_MS / 2)])
    }

    return { name: 'webhook-worker', ready, drain, close: () => releasers.close() }
  })
}

function readPolicy(config: WebhookWorkerConfig): EgressPolicy {
  const faults: string[] = []
  if (config.WEBHOOK_LEASE_MS < config.WEBHOOK_TIMEOUT_MS + 1000) {
    faults.push('WEBHOOK_LEASE_MS must be at least 1000 more than WEBHOOK_TIMEOUT_MS')
  }
  try {
    const policy = createEgressPolicy({ allowHttp: config.WEBHOOK_ALLOW_HTTP, allowCidrs: config.WEBHOOK_ALLOW_CIDRS })
    if (faults.length === 0) return policy
  } catch (error) {
    faults.push(`WEBHOOK_ALLOW_CIDRS has ${messageOf(error)}`)
  }
  throw new ConfigFault(faults)
}

function openPool(
  config: WebhookWorkerConfig,
  name: string,
  max: number,
  more: Readonly<Record<string, string>> = {},
): Pool {
  return createPool({
    ...databaseConnection(config),
    applicationName: `ariftly-${name}`,
    max,
    role: SERVICE_ROLE,
    settings: { ...SESSION_SETTINGS, ...more },
  })
}

/** Guarded starts, batched over jobs: what a batch does not answer is stale. */
function createStarts(pool: Pool, leaseMs: number) {
  return createBatcher<AttemptRef, StartedAttempt | undefined>({
    max: 200,
    concurrency: 2,
    run: async (refs) => {
      const started = await startAttempts(pool, { refs, leaseMs })
      const byDelivery = new Map(started.map((attempt) => [attempt.deliveryId, attempt]))
      return refs.map((ref) => {
        const attempt = byDelivery.get(ref.deliveryId)
        return attempt?.attempt === ref.attempt ? attempt : undefined
      })
    },
  })
}

async function settled(done: () => boolean, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs
  while (!done() && performance.now() < until) await sleep(20)
}
