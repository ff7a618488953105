import type { EventProducer, PartitionOutcome, ProducerRecord } from '@ariftly/kafka'
import type { Breaker } from './breaker.ts'
import { LatePartitions } from './late-partitions.ts'
import { bytesOf, type Part, type RecordStatus } from './part.ts'
import { isAboutRecords, statusOf, statusRuns } from './record-status.ts'

/** Options of {@link Lane}. */
export interface LaneOptions {
  readonly send: EventProducer['send']
  readonly breaker: Pick<Breaker, 'sendBegan' | 'sendEnded' | 'isTrial'>
  /** How long a part waits at most, and how long its produce request may take: it is settled within twice this. */
  readonly timeoutMs: number
  /** How long the lane waits for more parts under load, at most. */
  readonly lingerMs: number
  /** Bytes of one partition in one send: below the topic's `max.message.bytes`, which counts for a partition's batch. */
  readonly partitionBytesMax: number
  readonly sendBytesMax: number
  readonly onSend?: (sent: { readonly records: number; readonly bytes: number; readonly ms: number }) => void
}

/** A part that waits. */
interface Waiting {
  readonly part: Part
  readonly addedMs: number
  /** Records handed to sends so far. */
  sent: number
  failed: boolean
}

/** Records `from` to `to` of a part, in one send. */
interface Slice {
  readonly waiting: Waiting
  readonly from: number
  readonly to: number
}

/** Mean parts a send below which a lane counts as without load: it then sends at the end of the tick. */
const LOAD_PARTS = 2
/** A send blocks the lane until its first outcome, so that the next one fills, but at most for this. */
const HOLD_MS = 25
/** A partition without a reachable leader is answered after this: nothing of it can have been written. */
const UNSENT_MS = 1_000

/**
 * Sends the parts of some partitions: in order within a partition, with one produce request outstanding for each partition.
 * Without load a part is sent at the end of the tick in which it was added. Under load sends start at intervals of at least
 * `lingerMs`, and while one runs the next one fills. A partition that is retried, or whose leader is silent, delays only its
 * own parts; one whose replicas are slow delays the others of one request, and is then sent apart.
 */
export class Lane {
  readonly #o: LaneOptions
  /** By partition; the partition served last is last. */
  readonly #queues = new Map<number, Waiting[]>()
  /** Partitions with a produce request outstanding. */
  readonly #busy = new Set<number>()
  readonly #late = new LatePartitions()
  readonly #idleWaiters: (() => void)[] = []
  #waitingBytes = 0
  #timer: { readonly cancel: () => void; readonly lingers: boolean } | undefined
  #hold: NodeJS.Timeout | undefined
  #expiry: NodeJS.Timeout | undefined
  #lastBeganMs = Number.NEGATIVE_INFINITY
  #partsMean = 1

  constructor(options: LaneOptions) {
    this.#o = options
  }

  /** Adds a part after the others of its partition. */
  add(part: Part): void {
    const waiting = { part, addedMs: performance.now(), sent: 0, failed: false }
    const queue = this.#queues.get(part.partition)
    if (queue) queue.push(waiting)
    else this.#queues.set(part.partition, [waiting])
    this.#waitingBytes += bytesOf(part, 0, part.sizes.length)
    this.#expireLater()
    this.#schedule()
  }

  /** Settles the waiting parts of a partition with `retry`; running sends continue. */
  failWaiting(partition: number): void {
    const queue = this.#queues.get(partition) ?? []
    this.#queues.delete(partition)
    for (const waiting of queue) this.#fail(waiting)
    this.#settleIdle()
  }

  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#idleWaiters.push(resolve)
      this.#settleIdle()
    })
  }

  #schedule(): void {
    if (this.#hold !== undefined || !this.#isAnyReady()) return
    const isUrgent = this.#partsMean < LOAD_PARTS || this.#waitingBytes >= this.#o.sendBytesMax
    const leftMs = isUrgent ? 0 : this.#lastBeganMs + this.#o.lingerMs - performance.now()
    if (this.#timer !== undefined && (!this.#timer.lingers || leftMs > 0)) return
    this.#timer?.cancel()
    const flush = (): void => this.#flush()
    if (leftMs > 0) {
      const timer = setTimeout(flush, leftMs)
      this.#timer = { lingers: true, cancel: () => clearTimeout(timer) }
    } else {
      const immediate = setImmediate(flush)
      this.#timer = { lingers: false, cancel: () => clearImmediate(immediate) }
    }
  }

  #isAnyReady(): boolean {
    for (const partition of this.#queues.keys()) if (!this.#busy.has(partition)) return true
    return false
  }

  #flush(): void {
    this.#timer = undefined
    const taken = this.#take()
    if (taken.size === 0) return this.#settleIdle()
    this.#lastBeganMs = performance.now()
    let parts = 0
    for (const slices of taken.values()) parts += slices.length
    this.#partsMean = this.#partsMean * 0.8 + parts * 0.2
    const together = new Map<number, Slice[]>()
    for (const [partition, slices] of taken) {
      const isTrial = this.#o.breaker.isTrial(partition)
      // A trial is given up immediately if it cannot be sent: the partition may be slow but written to.
      if (isTrial || this.#late.has(partition)) {
        void this.#send(new Map([[partition, slices]]), isTrial ? 0 : UNSENT_MS)
      } else together.set(partition, slices)
    }
    if (together.size > 0) {
      this.#hold = setTimeout(() => this.#release(), HOLD_MS)
      void this.#send(together, UNSENT_MS)
    }
    this.#schedule()
  }

  /** As much as one send may hold of the partitions that are free, each in order. */
  #take(): Map<number, Slice[]> {
    const taken = new Map<number, Slice[]>()
    let total = 0
    for (const [partition, queue] of Array.from(this.#queues)) {
      if (total >= this.#o.sendBytesMax) break
      if (this.#busy.has(partition)) continue
      const { slices, bytes } = this.#takeOf(queue, this.#o.sendBytesMax - total)
      total += bytes
      this.#queues.delete(partition)
      if (queue.length > 0) this.#queues.set(partition, queue)
      if (slices.length > 0) taken.set(partition, slices)
    }
    this.#waitingBytes -= total
    return taken
  }

  /** The first records of a partition: at least one, unless another partition filled the send. */
  #takeOf(queue: Waiting[], roomBytes: number): { readonly slices: Slice[]; readonly bytes: number } {
    const limit = Math.min(roomBytes, this.#o.partitionBytesMax)
    const slices: Slice[] = []
    let bytes = 0
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      const { sizes } = first.part
      const from = first.sent
      let to = from
      for (; to < sizes.length; to += 1) {
        const size = sizes[to] ?? 0
        if (bytes + size > limit && bytes > 0) break
        bytes += size
      }
      if (to > from) slices.push({ waiting: first, from, to })
      first.sent = to
      if (to < sizes.length) break
      queue.shift()
    }
    return { slices, bytes }
  }

  async #send(taken: ReadonlyMap<number, readonly Slice[]>, unsentMs: number): Promise<void> {
    const records: ProducerRecord[] = []
    for (const [partition, slices] of taken) {
      this.#busy.add(partition)
      this.#o.breaker.sendBegan(partition)
      for (const { waiting, from, to } of slices)
        for (let at = from; at < to; at += 1) records.push(waiting.part.records[at] as ProducerRecord)
    }
    const beganMs = performance.now()
    await this.#o.send(records, {
      timeoutMs: this.#o.timeoutMs,
      unsentMs,
      onOutcome: (partition, outcome) => {
        this.#late.note(partition, performance.now() - beganMs)
        void this.#settleSlices(taken.get(partition) ?? [], outcome, partition)
      },
    })
    let bytes = 0
    for (const slices of taken.values())
      for (const { waiting, from, to } of slices) bytes += bytesOf(waiting.part, from, to)
    this.#o.onSend?.({ records: records.length, bytes, ms: performance.now() - beganMs })
  }

  async #settleSlices(slices: readonly Slice[], outcome: PartitionOutcome, partition: number): Promise<void> {
    this.#o.breaker.sendEnded(partition, outcome)
    this.#release()
    if (isAboutRecords(outcome)) await this.#sendOneByOne(slices)
    else for (const slice of slices) this.#settleSlice(slice, outcome)
    this.#busy.delete(partition)
    this.#schedule()
    this.#settleIdle()
  }

  /** Writes all records of the partition that the broker does not refuse alone, in order. */
  async #sendOneByOne(slices: readonly Slice[]): Promise<void> {
    for (const { waiting, from, to } of slices)
      for (let at = from; at < to; at += 1) {
        const status = waiting.failed ? 'retry' : statusOf(waiting.part, at, await this.#sendAlone(waiting, at))
        this.#settle({ waiting, from: at, to: at + 1 }, status)
      }
  }

  /** Sends one record, as long as its post may still be answered in time. */
  async #sendAlone({ part, addedMs }: Waiting, at: number): Promise<PartitionOutcome> {
    const late = { type: 'unsent', code: 'NO_ANSWER' } as const
    const { timeoutMs } = this.#o
    const leftMs = addedMs + 2 * timeoutMs - performance.now()
    if (leftMs <= 0) return late
    const { partition } = part
    this.#o.breaker.sendBegan(partition)
    const { partitions } = await this.#o.send(part.records.slice(at, at + 1), {
      timeoutMs: Math.min(timeoutMs, leftMs),
      unsentMs: UNSENT_MS,
    })
    const outcome = partitions.get(partition) ?? late
    this.#o.breaker.sendEnded(partition, outcome)
    return outcome
  }

  #settleSlice({ waiting, ...range }: Slice, outcome: PartitionOutcome): void {
    for (const { status, ...run } of statusRuns(waiting.part, range, outcome)) this.#settle({ waiting, ...run }, status)
  }

  #settle({ waiting, from, to }: Slice, status: RecordStatus): void {
    if (status !== 'accepted' && status !== 'refused') this.#fail(waiting, status)
    waiting.part.settle(from, to, status)
  }

  /** Later records of a part must not overtake one that may not be in the log. */
  #fail(waiting: Waiting, status: RecordStatus = 'retry'): void {
    if (waiting.failed) return
    waiting.failed = true
    const { part, sent: from } = waiting
    const { length } = part.records
    if (from >= length) return
    waiting.sent = length
    this.#waitingBytes -= bytesOf(part, from, length)
    part.settle(from, length, status)
  }

  #release(): void {
    if (this.#hold === undefined) return
    clearTimeout(this.#hold)
    this.#hold = undefined
    this.#schedule()
  }

  /** Parts that have waited for too long are settled, so that every post is answered in time. */
  #expireLater(): void {
    if (this.#expiry !== undefined) return
    this.#expiry = setTimeout(() => {
      this.#expiry = undefined
      this.#expire(performance.now() - this.#o.timeoutMs)
    }, this.#o.timeoutMs / 10)
  }

  #expire(addedBeforeMs: number): void {
    for (const [partition, queue] of this.#queues) {
      while (queue[0] !== undefined && queue[0].addedMs <= addedBeforeMs) {
        const waiting = queue.shift()
        if (waiting !== undefined) this.#fail(waiting)
      }
      if (queue.length === 0) this.#queues.delete(partition)
    }
    if (this.#queues.size > 0) this.#expireLater()
    this.#settleIdle()
  }

  #settleIdle(): void {
    if (this.#busy.size > 0 || this.#queues.size > 0) return
    clearTimeout(this.#expiry)
    this.#expiry = undefined
    for (const resolve of this.#idleWaiters.splice(0)) resolve()
  }
}
