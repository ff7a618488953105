import { FailureLog, sleep } from '@ariftly/async'
import type { Queryable } from '@ariftly/store'
import { readPositions } from '@ariftly/store/projection'
import type { Logger } from '@ariftly/runtime'

/** Knows how far the projection of events is. */
export interface ProjectionWatch {
  /** Waits until the partition's `next_offset` is above `offset`, and returns it. Rejects when the signal aborts. */
  readonly beyond: (partition: number, offset: number, signal: AbortSignal) => Promise<number>
  /** Drops what is known of a partition: it is read again. */
  readonly forget: (partition: number) => void
}

interface Waiter {
  readonly partition: number
  readonly offset: number
  readonly resolve: (next: number) => void
}

/** The projector reads the log at the same time as the matcher, and needs some milliseconds to commit. */
const FIRST_POLL_MS = 4
const POLL_MS = 5
/** Polls in a row without progress, after which the projector counts as behind or down. */
const EMPTY_POLLS = 100
const POLL_MS_MAX = 50
const POLL_AFTER_ERROR_MS = 500

/** One poll for all partitions of this process, and only while one of them waits. */
export function createProjectionWatch(o: {
  readonly db: Queryable
  readonly epoch: number
  readonly topic: string
  readonly log: Pick<Logger, 'warn'>
}): ProjectionWatch {
  const known = new Map<number, number>()
  const waiters = new Set<Waiter>()
  const failures = new FailureLog({ log: o.log, failing: 'the positions of the projection cannot be read' })
  let polling = false
  let emptyPolls = 0

  function beyond(partition: number, offset: number, signal: AbortSignal): Promise<number> {
    const next = known.get(partition)
    if (next !== undefined && next > offset) return Promise.resolve(next)
    return new Promise<number>((resolve, reject) => {
      function onAbort() {
        waiters.delete(waiter)
        reject(signal.reason instanceof Error ? signal.reason : new Error('aborted'))
      }
      const waiter: Waiter = {
        partition,
        offset,
        resolve(found) {
          waiters.delete(waiter)
          signal.removeEventListener('abort', onAbort)
          resolve(found)
        },
      }
      if (signal.aborted) return onAbort()
      signal.addEventListener('abort', onAbort, { once: true })
      waiters.add(waiter)
      emptyPolls = 0
      if (!polling) void poll(next === undefined ? 0 : FIRST_POLL_MS)
    })
  }

  async function poll(firstPollMs: number): Promise<void> {
    polling = true
    if (firstPollMs > 0) await sleep(firstPollMs)
    while (waiters.size > 0) await sleep(await pollOnce())
    polling = false
  }

  async function pollOnce(): Promise<number> {
    try {
      const partitions = [...new Set([...waiters].map((waiter) => waiter.partition))]
      const positions = await readPositions(o.db, { projection: 'events', epoch: o.epoch, topic: o.topic, partitions })
      failures.succeeded()
      for (const [partition, { nextOffset }] of positions) known.set(partition, nextOffset)
      emptyPolls = settle() ? 0 : emptyPolls + 1
      return emptyPolls > EMPTY_POLLS ? POLL_MS_MAX : POLL_MS
    } catch (error) {
      failures.failed(error)
      return POLL_AFTER_ERROR_MS
    }
  }

  function settle(): boolean {
    let any = false
    for (const waiter of waiters) {
      const next = known.get(waiter.partition)
      if (next === undefined || next <= waiter.offset) continue
      any = true
      waiter.resolve(next)
    }
    return any
  }

  return { beyond, forget: (partition) => void known.delete(partition) }
}
