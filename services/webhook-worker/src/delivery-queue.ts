import { Queue, Worker } from 'bullmq'
import { Fault, messageOf, retryForever, sleep, type Logger } from '@ariftly/runtime'
import type { AttemptRef } from '@ariftly/store/deliveries'
import type { Lane } from './feed-plan.ts'
import { checkPolicy, connectFailFast, connectPatient, type RedisAddress } from './redis.ts'

/** What the queue needs. */
export interface DeliveryQueueOptions {
  readonly redis: RedisAddress
  /** Prefix of all keys. */
  readonly prefix: string
  /** Attempts under way at the same time in this process. */
  readonly concurrency: Readonly<Record<Lane, number>>
  readonly process: (ref: AttemptRef) => Promise<void>
  /** Told when jobs can be added (again). */
  readonly onReady: () => void
  readonly signal: AbortSignal
  readonly log: Logger
}

/** BullMQ as the engine: what is in it can be lost at any time. */
export interface DeliveryQueue {
  /** Adds jobs that hold (delivery, attempt) and nothing else. Rejects when Redis does not take them. */
  readonly add: (lane: Lane, refs: readonly AttemptRef[]) => Promise<void>
  /** Whether Redis was there once, and right. */
  readonly opened: () => boolean
  /** Whether jobs can be added now. */
  readonly ready: () => boolean
  /** `ok`, or what is wrong. */
  readonly state: () => string
  /** Takes no more jobs; those under way go on. */
  readonly pause: () => void
  readonly active: () => number
  readonly close: () => Promise<void>
}

/** A job: ids alone, as Redis is nobody's to trust with more. */
interface JobData {
  readonly d: string
  readonly n: number
}

const JOBS_PER_ADD = 500
/**
 * Workers of BullMQ in this process, which share a lane's concurrency. One fetches its jobs one after the other as long as
 * it is not full, and starts none of them while it fetches: at 4 ms a fetch (a busy machine) that is 250 jobs a second.
 */
const FETCHERS: Readonly<Record<Lane, number>> = { fast: 10, suspect: 2 }
/**
 * A worker without jobs is woken by the next one, and looks by itself after so long, should it have missed that: the first of
 * a lane. The others, which would find it at work, look less often, as twelve of them ask Redis five times a second.
 */
const LOOK_S = { first: 5, others: 30 } as const
const BOOT_WAIT_MS = 2000
const CLOSE_WAIT_MS = 1000
/** Longer than any attempt takes, so that locks are hardly ever renewed; a stalled job is refused by its guard anyway. */
const LOCK_MS = 60_000

/**
 * Opens the two queues and their workers. A Redis that can be reached and has another `maxmemory-policy` than noeviction
 * rejects with Fault `redis_policy`; one that is away is waited for in the background, and checked then. One that comes
 * back empty is used as it is.
 */
export async function openDeliveryQueue(o: DeliveryQueueOptions): Promise<DeliveryQueue> {
  const producer = connectFailFast(o.redis, o.log)
  const consumer = connectPatient(o.redis, o.log)
  let queues: Readonly<Record<Lane, Queue<JobData>>> | undefined
  let workers: readonly Worker<JobData>[] = []
  let fault: Fault | undefined
  let trouble = ''
  let active = 0
  let closed = false

  const opening = retryForever(open, { signal: o.signal, maxMs: 1000, onError: stopOnPolicy })
  try {
    await within(opening, BOOT_WAIT_MS)
  } catch (error) {
    producer.disconnect()
    consumer.disconnect()
    throw error
  }
  // Redis was away at boot: a wrong policy that is found later stops nobody but is said.
  opening.catch((error: unknown) => o.log.error({ err: error }, 'the queue cannot be used'))
  producer.on('error', (error: Error) => {
    trouble = `: ${messageOf(error)}`
  })
  producer.on('ready', () => {
    trouble = ''
    if (queues !== undefined) void recheck()
  })

  async function open(): Promise<void> {
    if (producer.status !== 'ready') throw new Fault({ code: 'redis_away', message: 'Redis cannot be reached' })
    await checkPolicy(producer)
    const opened = { fast: openQueue('fast'), suspect: openQueue('suspect') }
    await Promise.all([opened.fast.waitUntilReady(), opened.suspect.waitUntilReady()])
    if (closed) return
    queues = opened
    workers = [...openWorkers('fast'), ...openWorkers('suspect')]
    o.onReady()
  }

  function stopOnPolicy(error: unknown): void {
    if (!(error instanceof Fault) || error.code !== 'redis_policy') return
    fault = error
    throw error
  }

  async function recheck(): Promise<void> {
    try {
      await checkPolicy(producer)
      fault = undefined
      o.onReady()
    } catch (error) {
      if (!(error instanceof Fault)) return
      fault = error
      o.log.error({ err: error }, 'the queue cannot be used')
    }
  }

  function openQueue(lane: Lane): Queue<JobData> {
    const queue = new Queue<JobData>(queueName(lane), {
      connection: producer,
      prefix: o.prefix,
      streams: { events: { maxLen: 100 } },
      defaultJobOptions: { attempts: 1, removeOnComplete: true, removeOnFail: true },
    })
    queue.on('error', ignore)
    return queue
  }

  function openWorkers(lane: Lane): readonly Worker<JobData>[] {
    const count = Math.min(FETCHERS[lane], o.concurrency[lane])
    return Array.from({ length: count }, (_, index) =>
      openWorker(lane, Math.ceil(o.concurrency[lane] / count), index === 0),
    )
  }

  function openWorker(lane: Lane, concurrency: number, first: boolean): Worker<JobData> {
    const worker = new Worker<JobData>(queueName(lane), ({ data }) => work(data), {
      connection: consumer,
      prefix: o.prefix,
      concurrency,
      drainDelay: first ? LOOK_S.first : LOOK_S.others,
      lockDuration: LOCK_MS,
      // One look at a lane finds the stalled jobs of all its workers.
      skipStalledCheck: !first,
      maxStalledCount: 1,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    })
    worker.on('error', (error) => o.log.debug({ err: error, lane }, 'the queue worker had an error'))
    return worker
  }

  async function work({ d, n }: JobData): Promise<void> {
    active += 1
    try {
      await o.process({ deliveryId: d, attempt: n })
    } catch (error) {
      o.log.warn({ err: error, delivery: d }, 'an attempt could not be made, its lease brings it back')
    } finally {
      active -= 1
    }
  }

  async function add(lane: Lane, refs: readonly AttemptRef[]): Promise<void> {
    const queue = queues?.[lane]
    if (queue === undefined) throw new Fault({ code: 'redis_away', message: 'the queue is not open', retryable: true })
    for (let from = 0; from < refs.length; from += JOBS_PER_ADD) {
      const part = refs.slice(from, from + JOBS_PER_ADD)
      await queue.addBulk(part.map((ref) => ({ name: 'd', data: { d: ref.deliveryId, n: ref.attempt } })))
    }
  }

  function ready(): boolean {
    return !closed && queues !== undefined && fault === undefined && producer.status === 'ready'
  }

  function state(): string {
    if (fault !== undefined) return fault.message
    return ready() ? 'ok' : `redis cannot be reached${trouble}`
  }

  function pause(): void {
    for (const worker of workers) void worker.pause(true).catch(ignore)
  }

  async function close(): Promise<void> {
    closed = true
    // With Redis away a worker would wait for ever to say good-bye: forced, and its client is cut after it.
    const opened = [...workers, ...Object.values(queues ?? {})]
    const ends = Promise.allSettled(opened.map((one) => (one instanceof Worker ? one.close(true) : one.close())))
    await within(ends, CLOSE_WAIT_MS)
    producer.disconnect()
    consumer.disconnect()
  }

  return { add, opened: () => queues !== undefined, ready, state, pause, active: () => active, close }
}

/** Waits for work to end, or so long. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const done = new AbortController()
  try {
    await Promise.race([work, sleep(ms, done.signal)])
  } finally {
    done.abort()
  }
}

function queueName(lane: Lane): string {
  return `webhooks-${lane}`
}

function ignore(): void {}
