import type { EventProducer, PartitionOutcome, ProducerRecord } from '@ariftly/kafka'
import type { Breaker } from './breaker.ts'

/** What became of one record: `accepted` is in Kafka with acks=all, `retry` may be, `refused` is not and never will be. */
export type RecordStatus = 'accepted' | 'retry' | 'refused'

/** The records of one request for one partition, in order. They are sent in order; once one is `retry`, so are those behind it. */
export interface Part {
  readonly partition: number
  readonly records: readonly ProducerRecord[]
  /** Size of each record in the log, bytes, at most. */
  readonly sizes: readonly number[]
  /** Told the status of records `from` to `to` (exclusive). Every record is told once. */
  settle(from: number, to: number, status: RecordStatus): void
  /** Records handed to sends so far. */
  sent: number
  failed: boolean
}

/** Sends parts in the order in which they come, with one produce outstanding. */
export interface Lane {
  add(part: Part): void
  /** Answers `retry` for all that waits; what is under way goes on. */
  failWaiting(): void
  /** Resolves when nothing waits and nothing is under way. */
  idle(): Promise<void>
}

/** What a lane needs. */
export interface LaneOptions {
  readonly send: EventProducer['send']
  readonly breaker: Pick<Breaker, 'sendBegan' | 'sendEnded'>
  readonly timeoutMs: number
  /** How long it waits for more while it is under load, at most. */
  readonly lingerMs: number
  /** Bytes of one partition in one send: below the topic's `max.message.bytes`, which counts for a partition's batch. */
  readonly partitionBytesMax: number
  readonly sendBytesMax: number
  readonly onSend?: (sent: { readonly records: number; readonly bytes: number; readonly ms: number }) => void
}

/** Records `from` to `to` of a part, in one send. */
interface Slice {
  readonly part: Part
  readonly from: number
  readonly to: number
}

/** Mean parts a send below which a lane counts as without load: it then sends at the end of the tick. */
const LOAD_PARTS = 2

/**
 * Creates a lane. Without load a part leaves at the end of the tick in which it came; under load sends begin at least `lingerMs` apart, so that they
 * fill; while one is under way the next one fills anyway.
 */
export function createLane(options: LaneOptions): Lane {
  const { breaker, lingerMs, sendBytesMax } = options
  const idleWaiters: (() => void)[] = []
  let waiting: Part[] = []
  let waitingBytes = 0
  let sending = false
  let timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  let lingering = false
  let lastBeganMs = Number.NEGATIVE_INFINITY
  let partsMean = 1

  function add(part: Part): void {
    waiting.push(part)
    for (const size of part.sizes) waitingBytes += size
    schedule()
  }

  function schedule(): void {
    if (sending || waiting.length === 0) return
    const leftMs =
      partsMean < LOAD_PARTS || waitingBytes >= sendBytesMax ? 0 : lastBeganMs + lingerMs - performance.now()
    if (timer !== undefined && (!lingering || leftMs > 0)) return
    cancelTimer()
    lingering = leftMs > 0
    timer = lingering ? setTimeout(flush, leftMs) : setImmediate(flush)
  }

  function cancelTimer(): void {
    if (lingering) clearTimeout(timer as NodeJS.Timeout)
    else clearImmediate(timer as NodeJS.Immediate)
    timer = undefined
  }

  function flush(): void {
    timer = undefined
    const slices = takeSlices()
    if (slices.length === 0) return settleIdle()
    sending = true
    lastBeganMs = performance.now()
    partsMean = partsMean * 0.8 + slices.length * 0.2
    void sendSlices(slices).finally(() => {
      sending = false
      schedule()
      settleIdle()
    })
  }

  /** As much as one send may hold, in order; a partition that is full is passed over, so that its parts stay in order. */
  function takeSlices(): Slice[] {
    const bytesOf = new Map<number, number>()
    const full = new Set<number>()
    const slices: Slice[] = []
    const left: Part[] = []
    let total = 0
    for (const part of waiting) {
      if (part.failed) continue
      const { partition, sizes } = part
      const from = part.sent
      let bytes = bytesOf.get(partition) ?? 0
      let to = from
      while (to < sizes.length && !full.has(partition)) {
        const size = sizes[to] ?? 0
        if (bytes > 0 && (bytes + size > options.partitionBytesMax || total + size > sendBytesMax)) full.add(partition)
        else {
          bytes += size
          total += size
          to += 1
        }
      }
      bytesOf.set(partition, bytes)
      if (to > from) slices.push({ part, from, to })
      part.sent = to
      if (to < sizes.length) left.push(part)
    }
    waiting = left
    waitingBytes -= total
    return slices
  }

  async function sendSlices(slices: readonly Slice[]): Promise<void> {
    const records = slices.flatMap(({ part, from, to }) => part.records.slice(from, to))
    const beganMs = performance.now()
    const send = breaker.sendBegan()
    const { partitions } = await options.send(records, { timeoutMs: options.timeoutMs })
    const outcomes = [...partitions.values()]
    breaker.sendEnded(
      send,
      outcomes.some(({ type }) => type === 'written' || type === 'refused'),
    )
    let bytes = 0
    for (const { part, from, to } of slices) for (let at = from; at < to; at++) bytes += part.sizes[at] ?? 0
    options.onSend?.({ records: records.length, bytes, ms: performance.now() - beganMs })
    const refused = new Map<number, Slice[]>()
    for (const slice of slices) {
      const outcome = partitions.get(slice.part.partition)
      if (outcome?.type === 'written') settle(slice, 'accepted')
      else if (outcome?.type !== 'refused' || !isAboutRecords(outcome)) settle(slice, 'retry')
      else if (slice.part.failed) settle(slice, 'retry')
      else refused.set(slice.part.partition, [...(refused.get(slice.part.partition) ?? []), slice])
    }
    for (const group of refused.values()) await sendApart(group)
  }

  /** A batch that was refused is sent in halves, one after the other, until the record that is at fault stands alone. */
  async function sendApart(slices: readonly Slice[]): Promise<void> {
    const count = slices.reduce((sum, { from, to }) => sum + to - from, 0)
    if (count === 1) {
      for (const slice of slices) settle(slice, 'refused')
      return
    }
    for (const half of halve(slices, count)) {
      const live = half.filter((slice) => !slice.part.failed)
      for (const slice of half) if (slice.part.failed) settle(slice, 'retry')
      if (live.length > 0) await sendSlices(live)
    }
  }

  function settle({ part, from, to }: Slice, status: RecordStatus): void {
    if (status === 'retry' && !part.failed) {
      part.failed = true
      dropRest(part)
    }
    part.settle(from, to, status)
  }

  /** What is behind a record that may not be in the log must not overtake it. */
  function dropRest(part: Part): void {
    const from = part.sent
    const { length } = part.records
    if (from >= length) return
    part.sent = length
    for (let at = from; at < length; at++) waitingBytes -= part.sizes[at] ?? 0
    part.settle(from, length, 'retry')
  }

  function failWaiting(): void {
    const parts = waiting
    waiting = []
    for (const part of parts) {
      if (part.failed) continue
      part.failed = true
      dropRest(part)
    }
    settleIdle()
  }

  function idle(): Promise<void> {
    return new Promise((resolve) => {
      idleWaiters.push(resolve)
      settleIdle()
    })
  }

  function settleIdle(): void {
    if (sending || waiting.length > 0) return
    for (const resolve of idleWaiters.splice(0)) resolve()
  }

  return { add, failWaiting, idle }
}

/** Whether the broker refused what was sent, rather than to be written to: only then does it help to send less. */
function isAboutRecords({ code }: Extract<PartitionOutcome, { type: 'refused' }>): boolean {
  return code === 'MESSAGE_TOO_LARGE' || code === 'RECORD_LIST_TOO_LARGE' || code === 'INVALID_RECORD'
}

/** Two halves of the records of some slices, in order. */
function halve(slices: readonly Slice[], count: number): readonly (readonly Slice[])[] {
  const first: Slice[] = []
  const second: Slice[] = []
  let room = count >> 1
  for (const { part, from, to } of slices) {
    const cut = Math.min(to, from + room)
    room -= cut - from
    if (cut > from) first.push({ part, from, to: cut })
    if (to > cut) second.push({ part, from: cut, to })
  }
  return [first, second]
}
