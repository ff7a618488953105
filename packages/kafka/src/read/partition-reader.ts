import { backoffMs, sleep } from '@ariftly/async'
import type { Fetcher } from './fetcher.ts'
import type { Located, Locator } from './locator.ts'
import { isWrongLog } from '../log-identity.ts'
import type { LogReaderOptions, PartitionLag } from './log-reader-options.ts'
import { PartitionGuard } from './partition-guard.ts'
import { PartitionQueue } from './partition-queue.ts'

interface PartitionReaderOptions {
  readonly partition: number
  readonly reader: LogReaderOptions
  readonly fetcher: Fetcher
  readonly locator: Locator
  /** Settles when the handlers of previous readers of the partition have ended: their writes are in the positions. */
  readonly after: Promise<unknown>
  /** Called when decoding or handling a batch failed; it is retried. */
  onFailed(): void
  /** Called with the reason when reading is restarted; partitions of one request get the same error. */
  onInterrupted(partition: number, error: unknown): void
  /** Called when the log is not the expected one. The reader has ended. */
  onWrongLog(error: Error): void
}

const RETRY = { baseMs: 100, maxMs: 1_000 } as const

/**
 * Reads one partition while it is assigned: locates its position, then fetches and checks in one loop and handles in another,
 * with a bounded queue between them. Any fetch error (a broken connection, a moved leader) restarts it from the stored
 * position, as a new connection may lead to another log.
 */
export class PartitionReader {
  readonly #o: PartitionReaderOptions
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #queue: PartitionQueue | undefined
  #guard: PartitionGuard | undefined
  #highWatermark = 0
  /** Since when records are there that have not been fetched; undefined when there are none. */
  #unfetchedSinceMs: number | undefined
  #failures = 0

  constructor(o: PartitionReaderOptions) {
    this.#o = o
    this.#ended = this.#run()
  }

  /** How far the partition is read; undefined before it has a position. */
  get lag(): PartitionLag | undefined {
    const queue = this.#queue
    if (queue === undefined) return undefined
    const { next, oldestMs = this.#unfetchedSinceMs } = queue
    return { next, highWatermark: Math.max(this.#highWatermark, next), oldestMs }
  }

  /** Aborts the handler, and resolves when it has ended. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { partition, locator } = this.#o
    await this.#o.after
    while (!signal.aborted) {
      try {
        const located = await locator.locate(partition, signal)
        if (located === undefined) return
        await this.#readFrom(located)
      } catch (error) {
        if (signal.aborted) return
        if (isWrongLog(error)) return this.#o.onWrongLog(error)
        this.#o.onInterrupted(partition, error)
        await sleep(backoffMs(this.#failures, RETRY), signal)
        this.#failures += 1
      }
    }
  }

  /** Until the position has to be read again; rejects when a fetch fails. */
  async #readFrom({ position, bounds }: Located): Promise<void> {
    const { partition, reader } = this.#o
    const { logStart, logEnd } = bounds
    const { nextOffset } = position
    const gap = logStart > nextOffset ? { partition, expected: nextOffset, found: logStart } : undefined
    const queue = new PartitionQueue({
      partition,
      next: nextOffset,
      gap,
      log: reader.log,
      batch: reader.batch,
      handle: (batch, signal) => reader.handle(batch, signal),
      onGap: async (lost) => {
        reader.log.error({ groupId: reader.groupId, ...lost }, 'the log has lost records before they were read')
        await reader.onGap?.(lost)
      },
      onFailed: () => this.#o.onFailed(),
    })
    const guard = new PartitionGuard(gap?.found ?? nextOffset)
    this.#queue = queue
    this.#guard = guard
    this.#noteEnd(logEnd)

    const reading = new AbortController()
    const abort = (): void => reading.abort()
    this.#stopping.signal.addEventListener('abort', abort, { once: true })
    if (this.#stopping.signal.aborted) abort()
    const handling = queue.handleAll(reading.signal)
    try {
      await Promise.race([this.#fetchAll(guard, queue, reading.signal), handling])
    } finally {
      abort()
      this.#stopping.signal.removeEventListener('abort', abort)
      await handling
    }
  }

  /** Until the signal, or until the log has no such offset; rejects when a fetch fails. */
  async #fetchAll(guard: PartitionGuard, queue: PartitionQueue, signal: AbortSignal): Promise<void> {
    const { partition, fetcher } = this.#o
    while (!signal.aborted) {
      await queue.room(signal)
      const fetched = await fetcher.fetch(partition, guard.next, signal)
      const range = fetched && guard.check(fetched)
      if (fetched === undefined || range === 'moved') return
      this.#failures = 0
      this.#noteEnd(fetched.highWatermark)
      if (range !== undefined) queue.push(range)
    }
  }

  #noteEnd(highWatermark: number): void {
    this.#highWatermark = highWatermark
    if (highWatermark <= (this.#guard?.next ?? 0)) this.#unfetchedSinceMs = undefined
    else this.#unfetchedSinceMs ??= (this.#o.reader.now ?? Date.now)()
  }
}
