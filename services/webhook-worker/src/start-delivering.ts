import { sleep } from '@ariftly/async'
import { createEgress, type Egress, type EgressPolicy } from '@ariftly/egress'
import { createKeyring } from '@ariftly/keyring'
import { redisConnection, type Backend, type Logger, type Releasers, type Tracing } from '@ariftly/runtime'
import { disableWebhook } from '@ariftly/store/deliveries'
import type { TriedEndpoint } from './settling/record-outcomes.ts'
import { STANDARD_FORMAT } from '@ariftly/webhook-sending'
import type { WebhookWorkerConfig } from './config.ts'
import type { WorkerPools } from './pools.ts'
import { openJobQueue, type JobQueue } from './queueing/job-queue.ts'
import { watchQueue } from './repairing/queue-watch.ts'
import { DeliveryScheduler } from './queueing/delivery-scheduler.ts'
import { TenantShares } from './queueing/tenant-shares.ts'
import { StatsRollup } from './settling/stats-rollup.ts'
import type { Wakeups } from './queueing/wakeups.ts'
import type { WorkerMetrics } from './worker-metrics.ts'
import { AttemptStarts } from './attempting/attempt-starts.ts'
import { createCachedKeyring } from './attempting/cached-keyring.ts'
import { createDeliver, type DeliverOptions } from './attempting/deliver.ts'
import { FailureAnswers } from './settling/failure-answers.ts'
import { createOutcomeWriter } from './settling/outcome-writer.ts'
import { SuccessAnswers } from './settling/success-answers.ts'

/** Dependencies of the delivering side of the worker. */
export interface DeliveringOptions {
  readonly config: WebhookWorkerConfig
  readonly policy: EgressPolicy
  readonly pools: WorkerPools
  readonly redis: Backend
  /** UUID by which this worker's heart beats. */
  readonly workerId: string
  readonly wakeups: Wakeups
  readonly metrics: WorkerMetrics
  readonly signal: AbortSignal
  readonly releasers: Releasers
  readonly log: Logger
  readonly tracing?: Tracing | undefined
}

/** The delivering side: due deliveries to BullMQ to signed HTTP, and their outcomes to Postgres. */
export interface Delivering {
  readonly queue: Pick<JobQueue, 'active' | 'opened' | 'state'>
  /** Takes no more; resolves when what is under way has ended, at the latest after `timeoutMs`. */
  readonly drain: (timeoutMs: number) => Promise<void>
}

type Outcomes = DeliverOptions['outcomes']

const FAILING_AFTER = 10
const PROBE_DOUBLINGS = 30
/** An endpoint that only fails for this long is disabled: five days. */
const DISABLE_AFTER_MS = 432_000_000
/** How long a delivery may be queued, or an attempt under way, before it is taken back in any case. Dead workers and a Redis that lost its jobs are noticed sooner. */
const LEASE_MS = 600_000
/** What is still under way when the worker closes is cut and given back. */
const CUT_MS_MAX = 2000

/**
 * Starts it. Postgres is the truth; Redis may be unavailable at any time and is waited for. Rejects with Fault `redis_policy` when
 * Redis may evict jobs. What it opens is released last-in first-out: scheduling ends, attempts are cut, the queue is closed.
 */
export async function startDelivering(o: DeliveringOptions): Promise<Delivering> {
  const { config, wakeups, signal, releasers, log } = o
  let stopping = false
  const healthy = config.WEBHOOK_CONCURRENCY
  const concurrency = { healthy, unhealthy: Math.ceil(healthy / 2) }
  const shares = new TenantShares(concurrency)
  const outcomes = openOutcomes(o, shares)
  const egress = createEgress({ policy: o.policy })
  const queue = await openJobQueue({
    redis: redisConnection(config),
    prefix: config.BULLMQ_PREFIX,
    concurrency,
    process: openAttempts(o, { outcomes, egress, stopping: () => stopping }),
    onReady: wakeups.wakeAll,
    signal,
    log,
  })
  releasers.add('queue', () => queue.close())
  releasers.add(
    'watch of Redis',
    o.redis.watch(() => queue.ping()),
  )
  releasers.add('attempts', async () => {
    stopping = true
    queue.pause()
    await egress.close()
    await settled(() => queue.active === 0, CUT_MS_MAX)
  })
  const scheduler = startScheduler(o, queue, shares)
  releasers.add('scheduler', () => scheduler.close())
  wakeups.listen(scheduler)
  const watching = watchLeases(o, queue)
  releasers.add('queue watch', () => watching)

  async function drain(timeoutMs: number): Promise<void> {
    stopping = true
    queue.pause()
    await Promise.all([scheduler.close(), settled(() => queue.active === 0, timeoutMs)])
  }

  return { queue, drain }
}

/** Takes the outcomes of attempts, until its releaser runs: their answers are kept, they are written and counted. */
function openOutcomes(o: DeliveringOptions, shares: TenantShares): Outcomes {
  const { config, pools, wakeups, releasers, log } = o
  const end = new AbortController()
  const failureAnswers = new FailureAnswers()
  const answers = new SuccessAnswers({ db: pools.other, log })
  const keeping = answers.run(end.signal)
  const stats = new StatsRollup({ db: pools.other, workerId: o.workerId, log })
  const summing = stats.run(end.signal)
  releasers.add('outcomes', async () => {
    end.abort()
    await Promise.all([keeping, summing])
  })
  const writer = createOutcomeWriter({
    pool: pools.outcomes,
    failing: {
      after: FAILING_AFTER,
      probeMs: config.WEBHOOK_PROBE_MS,
      probeMsMax: PROBE_DOUBLINGS * config.WEBHOOK_PROBE_MS,
      disableMs: DISABLE_AFTER_MS,
    },
    onRecorded(counts, { toDisable }) {
      for (const [webhookId, count] of counts) shares.ended(webhookId, count)
      wakeups.wakeFreed(counts.keys())
      for (const endpoint of toDisable) void disable(o, endpoint, 'failures')
    },
    stats,
    signal: end.signal,
    log,
  })
  return { add: (outcome) => writer.add(answers.takeFrom(failureAnswers.bound(outcome))) }
}

/** Makes the job that starts an attempt, sends it and hands on its outcome. */
function openAttempts(
  o: DeliveringOptions,
  { outcomes, egress, stopping }: { outcomes: Outcomes; egress: Egress; stopping: () => boolean },
): ReturnType<typeof createDeliver> {
  const { config, pools, metrics, signal, log } = o
  const { retries } = STANDARD_FORMAT
  const starts = new AttemptStarts({
    pool: pools.starts,
    leaseMs: LEASE_MS,
    workerId: o.workerId,
    signal,
    log,
  })
  return createDeliver({
    starts,
    outcomes: { add: (outcome) => outcomes.add(outcome).finally(() => starts.ended(outcome)) },
    egress,
    keyring: createCachedKeyring(createKeyring(config.ENCRYPTION_KEYS)),
    format: {
      ...STANDARD_FORMAT,
      retries: { ...retries, scheduleS: config.WEBHOOK_RETRY_SCHEDULE_S ?? retries.scheduleS },
    },
    timeoutMs: config.WEBHOOK_TIMEOUT_MS,
    stopping,
    onGone: (endpoint) => void disable(o, endpoint, 'gone'),
    observe: metrics.attempted,
    onUnreachable: metrics.unreachable,
    log,
    tracing: o.tracing,
  })
}

function startScheduler(o: DeliveringOptions, queue: JobQueue, shares: TenantShares): DeliveryScheduler {
  const { config } = o
  return new DeliveryScheduler({
    pool: o.pools.scheduling,
    enqueue: (priority, refs) => queue.add(priority, refs),
    canEnqueue: () => queue.ready,
    perEndpointMax: config.WEBHOOK_PER_ENDPOINT,
    perTenantMax: config.WEBHOOK_PER_TENANT,
    shares,
    deadMs: config.WEBHOOK_WORKER_DEAD_MS,
    leaseMs: LEASE_MS,
    workerId: o.workerId,
    onQueued: o.metrics.queued,
    signal: o.signal,
    log: o.log,
  })
}

/** Releases the leases of jobs that Redis has lost, until the signal; resolves when that has ended. */
function watchLeases({ config, pools, workerId, metrics, wakeups, signal, log }: DeliveringOptions, queue: JobQueue) {
  return watchQueue({
    redis: queue.producer,
    prefix: config.BULLMQ_PREFIX,
    pool: pools.other,
    workerId,
    onReleased(deliveries) {
      metrics.leasesEnded(deliveries)
      wakeups.wakeAll()
    },
    signal,
    log,
  })
}

async function disable(
  { pools, metrics, log }: DeliveringOptions,
  { webhookId, endpointVersion }: TriedEndpoint,
  reason: 'gone' | 'failures',
): Promise<void> {
  try {
    if (!(await disableWebhook(pools.outcomes, { webhookId, endpointVersion, reason }))) return
    log.warn({ webhook: webhookId, reason }, 'a webhook was disabled')
    metrics.disabled(reason)
  } catch (error) {
    log.warn({ err: error, webhook: webhookId, reason }, 'a webhook could not be disabled')
  }
}

async function settled(done: () => boolean, timeoutMs: number): Promise<void> {
  const until = performance.now() + timeoutMs
  while (!done() && performance.now() < until) await sleep(20)
}
