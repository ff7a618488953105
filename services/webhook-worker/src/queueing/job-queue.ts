import { DeadlineError, Semaphore, sleep, withTimeout } from '@ariftly/async'
import { Queue, Worker } from 'bullmq'
import { Fault, hasFaultCode, messageOf, retryForever, type Logger, type RedisAddress } from '@ariftly/runtime'
import type { AttemptRef } from './unqueue-deliveries.ts'
import type { DeliveryPriority } from './capacity.ts'
import { BLOCK_S_MAX, checkPolicy, connectFailFast, connectPatient, redisFault, type RedisClient } from './redis.ts'

/** Dependencies of the queue. */
export interface JobQueueOptions {
  readonly redis: RedisAddress
  /** Prefix of all keys. */
  readonly prefix: string
  /** Attempts under way at the same time in this process. */
  readonly concurrency: Readonly<Record<DeliveryPriority, number>>
  /** Makes one attempt. */
  readonly process: (ref: AttemptRef) => Promise<void>
  /** Called when jobs can be added (again). */
  readonly onReady: () => void
  readonly signal: AbortSignal
  readonly log: Logger
}

/** Attempts that were queued together: ids alone, as Redis is not to be trusted with more. */
interface JobData {
  readonly refs: readonly (readonly [deliveryId: string, attempt: number])[]
}

type Queues = Readonly<Record<DeliveryPriority, Queue<JobData>>>

const PRIORITIES = ['healthy', 'unhealthy'] as const
const JOBS_PER_ADD = 500
/** A job costs the worker and Redis as much as an attempt does. Few enough that two workers share what is queued evenly. */
const ATTEMPTS_PER_JOB = 20
/**
 * Workers of BullMQ in this process, which share a priority's concurrency. One fetches its jobs one after the other as long
 * as it is not full, and starts none of them while it fetches: at 4 ms a fetch (a busy machine) that is 250 jobs a second.
 */
const FETCHERS: Readonly<Record<DeliveryPriority, number>> = { healthy: 10, unhealthy: 2 }
/**
 * A worker without jobs is woken by the next one, and asks Redis after so many seconds, should it have missed that: the
 * first of a priority. The others ask less often, as twelve of them load Redis.
 */
const BLOCK_S = { first: 5, others: BLOCK_S_MAX } as const
const BOOT_WAIT_MS = 2000
const CLOSE_WAIT_MS = 1000
/** Between two checks of a Redis that is unavailable, or whose policy is wrong. */
const CHECK_AGAIN_MS = 1000
/**
 * A job whose worker does not renew its lock for so long is given to another one, as its worker may have died between the
 * fetch and the start of the attempt. Where it lives after all, the guard of the start drops the second job.
 */
const LOCK_MS = 4000
const STALLED_CHECK_MS = 2000
const START_AGAIN_MS = 1000
/** As many as fit into the lease of a queued delivery, ten minutes. */
const STARTS_MAX = 600

/**
 * Opens the two queues and their workers. A Redis that can be reached and has another `maxmemory-policy` than noeviction
 * rejects with Fault `redis_policy`; one that is unavailable is waited for in the background. One that has another policy later, by a
 * restart or at its first connection, is not used until that is put right. One that is empty after a restart is used.
 */
export async function openJobQueue(o: JobQueueOptions): Promise<JobQueue> {
  const queue = new JobQueue(o)
  await queue.open()
  return queue
}

/** The jobs of BullMQ, of which all can be lost at any time: Postgres plans them again. */
export class JobQueue {
  readonly #o: JobQueueOptions
  readonly #slots: Readonly<Record<DeliveryPriority, Semaphore>>
  readonly #producer: RedisClient
  readonly #consumer: RedisClient
  #queues: Queues | undefined
  #workers: readonly Worker<JobData>[] = []
  /** Why Redis is not used although it is there. */
  #policyFault: Fault | undefined
  #isChecking = false
  #trouble = ''
  #active = 0
  #closed = false

  constructor(o: JobQueueOptions) {
    this.#o = o
    this.#slots = {
      healthy: new Semaphore(o.concurrency.healthy),
      unhealthy: new Semaphore(o.concurrency.unhealthy),
    }
    this.#producer = connectFailFast(o.redis, o.log)
    this.#consumer = connectPatient(o.redis, o.log)
  }

  /** The client that adds jobs. Its commands fail at once while Redis is unavailable. */
  get producer(): RedisClient {
    return this.#producer
  }

  /** Attempts under way, and those of jobs under way that wait for a slot. */
  get active(): number {
    return this.#active
  }

  /** Whether Redis was there once, with the right policy. */
  get opened(): boolean {
    return this.#queues !== undefined
  }

  /** Whether jobs can be added now. */
  get ready(): boolean {
    const isOpen = !this.#closed && this.#queues !== undefined
    return isOpen && this.#policyFault === undefined && this.#producer.status === 'ready'
  }

  /** `ok`, or what is wrong. */
  get state(): string {
    if (this.#policyFault !== undefined) return this.#policyFault.message
    if (this.ready && this.#consumer.status === 'ready') return 'ok'
    return `redis cannot be reached${this.#trouble === '' ? '' : `: ${this.#trouble}`}`
  }

  /** Waits up to two seconds for Redis; rejects with Fault `redis_policy`. */
  async open(): Promise<void> {
    let booting = true
    const opening = retryForever(() => this.#openQueues(), {
      signal: this.#o.signal,
      maxMs: CHECK_AGAIN_MS,
      onError: (error) => {
        if (this.#noteFault(error) && booting) throw error
      },
    })
    try {
      await withTimeout(opening, BOOT_WAIT_MS)
    } catch (error) {
      if (!(error instanceof DeadlineError)) {
        this.#producer.disconnect()
        this.#consumer.disconnect()
        throw error
      }
    }
    booting = false
    this.#producer.on('error', (error: Error) => {
      this.#trouble = messageOf(error)
    })
    this.#producer.on('ready', () => {
      this.#trouble = ''
      if (this.#queues !== undefined && !this.#isChecking) void this.#checkAgain()
    })
  }

  /** Asks Redis for any answer. Rejects with the reason while it is not connected. */
  async ping(): Promise<void> {
    if (this.#trouble !== '') throw redisFault(this.#trouble)
    await this.#producer.ping()
  }

  /** Adds jobs that hold pairs (delivery, attempt) and nothing more. Rejects when Redis does not take them. */
  async add(priority: DeliveryPriority, refs: readonly AttemptRef[]): Promise<void> {
    const queue = this.#queues?.[priority]
    if (queue === undefined) throw redisFault('the queue is not open')
    const pairs = refs.map(({ deliveryId, attempt }) => [deliveryId, attempt] as const)
    const jobs = chunks(pairs, ATTEMPTS_PER_JOB).map((part) => ({ name: 'attempts', data: { refs: part } }))
    for (const part of chunks(jobs, JOBS_PER_ADD)) await queue.addBulk(part)
  }

  /** Takes no more jobs; those under way continue. */
  pause(): void {
    for (const worker of this.#workers) void worker.pause(true).catch(ignore)
  }

  async close(): Promise<void> {
    this.#closed = true
    // Worker.close() hangs while Redis is unavailable: it is forced, and its client is disconnected after it.
    const ends = [
      ...this.#workers.map((worker) => worker.close(true)),
      ...Object.values(this.#queues ?? {}).map((queue) => queue.close()),
    ]
    await withTimeout(Promise.allSettled(ends), CLOSE_WAIT_MS).catch(ignore)
    this.#producer.disconnect()
    this.#consumer.disconnect()
  }

  async #openQueues(): Promise<void> {
    if (this.#producer.status !== 'ready') throw redisFault('Redis cannot be reached')
    await checkPolicy(this.#producer)
    const queues = { healthy: this.#openQueue('healthy'), unhealthy: this.#openQueue('unhealthy') }
    await Promise.all(Object.values(queues).map((queue) => queue.waitUntilReady()))
    if (this.#closed) return
    this.#policyFault = undefined
    this.#queues = queues
    this.#workers = PRIORITIES.flatMap((priority) => this.#openWorkers(priority))
    this.#o.onReady()
  }

  /** Checks the policy of a Redis that is available again, and again until it is right or Redis is unavailable. */
  async #checkAgain(): Promise<void> {
    this.#isChecking = true
    while (!this.#closed && !this.#o.signal.aborted) {
      try {
        await checkPolicy(this.#producer)
        this.#policyFault = undefined
        this.#o.onReady()
        break
      } catch (error) {
        if (!this.#noteFault(error)) break
        await sleep(CHECK_AGAIN_MS, this.#o.signal)
      }
    }
    this.#isChecking = false
  }

  /** Keeps a wrong policy as the reason why Redis is not used; false for any other error. */
  #noteFault(error: unknown): boolean {
    if (!(error instanceof Fault) || !hasFaultCode(error, 'redis_policy')) return false
    if (this.#policyFault === undefined) this.#o.log.error({ err: error }, 'the queue cannot be used')
    this.#policyFault = error
    return true
  }

  #openQueue(priority: DeliveryPriority): Queue<JobData> {
    const queue = new Queue<JobData>(queueName(priority), {
      connection: this.#producer,
      prefix: this.#o.prefix,
      streams: { events: { maxLen: 100 } },
      // A job whose attempt could not be started, as Postgres is unavailable, is tried again until the lease of its delivery ends.
      defaultJobOptions: {
        attempts: STARTS_MAX,
        backoff: { type: 'fixed', delay: START_AGAIN_MS },
        removeOnComplete: true,
        removeOnFail: true,
      },
    })
    queue.on('error', ignore)
    return queue
  }

  #openWorkers(priority: DeliveryPriority): readonly Worker<JobData>[] {
    const concurrency = this.#o.concurrency[priority]
    const count = Math.min(FETCHERS[priority], concurrency)
    return Array.from({ length: count }, (_, index) =>
      this.#openWorker(priority, Math.ceil(concurrency / count), index === 0),
    )
  }

  #openWorker(priority: DeliveryPriority, concurrency: number, first: boolean): Worker<JobData> {
    const worker = new Worker<JobData>(queueName(priority), ({ data }) => this.#work(priority, data), {
      connection: this.#consumer,
      prefix: this.#o.prefix,
      concurrency,
      drainDelay: first ? BLOCK_S.first : BLOCK_S.others,
      lockDuration: LOCK_MS,
      stalledInterval: STALLED_CHECK_MS,
      // One check of a queue finds the stalled jobs of all its workers.
      skipStalledCheck: !first,
      // A job is lost by none of the workers that end between its fetch and its start.
      maxStalledCount: STARTS_MAX,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    })
    worker.on('error', (error) => this.#o.log.debug({ err: error, priority }, 'the queue worker had an error'))
    return worker
  }

  /** Makes the attempts of a job. The job is tried again when one of them could not be started; the started ones are dropped then. */
  async #work(priority: DeliveryPriority, { refs }: JobData): Promise<void> {
    this.#active += refs.length
    const slots = this.#slots[priority]
    const ends = await Promise.allSettled(
      refs.map(async ([deliveryId, attempt]) => {
        await slots.acquire()
        try {
          await this.#o.process({ deliveryId, attempt })
        } finally {
          slots.release()
          this.#active -= 1
        }
      }),
    )
    const failed = ends.filter((end) => end.status === 'rejected')
    const [first] = failed
    if (first === undefined) return
    this.#o.log.warn(
      { err: first.reason as unknown, attempts: failed.length },
      'attempts could not be made, their job is tried again',
    )
    throw first.reason
  }
}

function queueName(priority: DeliveryPriority): string {
  return `webhooks-${priority}`
}

function chunks<T>(items: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  )
}

function ignore(): void {}
