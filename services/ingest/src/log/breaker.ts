import type { PartitionOutcome } from '@ariftly/kafka'

/** Whether a partition is written to: `closed` yes, `open` no, `halfOpen` by one write that decides. */
export type BreakerState = 'closed' | 'open' | 'halfOpen'

interface BreakerOptions {
  readonly partitions: number
  /** Asks the brokers for metadata; must answer within about a second. */
  readonly probe: () => Promise<boolean>
  /** Whether the topic may be written to at all: it is the right one. */
  readonly isWritable: () => boolean
  /** Whether a partition has a leader, as last heard. */
  readonly hasLeader: (partition: number) => boolean
  /** Called when a partition is not written to any more: its waiting parts must be settled. */
  readonly onOpen: (partition: number) => void
  readonly onChange?: (partition: number, state: BreakerState) => void
  readonly now?: () => number
}

/** State of a partition in this process. */
interface Circuit {
  state: BreakerState
  /** When the produce request under way began. */
  beganMs: number | undefined
  /** When the write was admitted that tries the partition; undefined unless it is half-open. */
  triedMs: number | undefined
}

/** A produce request that takes longer opens its partition. */
const SLOW_SEND_MS = 2_000
/** After this long without any answer of a broker one is asked. */
const SILENCE_MS = 2_000
const CHECK_EVERY_MS = 250
/** A trial that was admitted and not sent within this is given up. */
const TRIAL_LOST_MS = 3_000

/**
 * Decides by partition whether events may be written, so that the others get a fast 503. A partition opens when a send failed
 * or is slow, when it has no leader, and when no broker answers. It is tried with one write as soon as the brokers name a
 * leader; while any partition is open they are asked every 250 ms. All are open until the first answer, which closes them.
 */
export class Breaker {
  readonly #o: BreakerOptions
  readonly #now: () => number
  readonly #circuits: Circuit[]
  readonly #clock: NodeJS.Timeout
  #lifeMs = Number.NEGATIVE_INFINITY
  #asking: Promise<void> | undefined
  #started = false
  #closed = false

  constructor(o: BreakerOptions) {
    this.#o = o
    this.#now = o.now ?? (() => performance.now())
    this.#circuits = Array.from({ length: o.partitions }, () => ({
      state: 'open',
      beganMs: undefined,
      triedMs: undefined,
    }))
    this.#clock = setInterval(() => this.#check(), CHECK_EVERY_MS)
    this.#clock.unref()
    this.#check()
  }

  /** False until a broker has answered for the first time. */
  get started(): boolean {
    return this.#started
  }

  /** Number of partitions that refuse events. A half-open one takes the next write, so it counts only while that one is under way. */
  get openPartitions(): number {
    return this.#circuits.filter((circuit) => !takesWrite(circuit)).length
  }

  stateOf(partition: number): BreakerState {
    return this.#circuits[partition]?.state ?? 'open'
  }

  /** Whether a write may be given to a lane now. A half-open partition admits one: the caller must then send it. */
  admit(partition: number): boolean {
    const circuit = this.#circuits[partition]
    if (circuit === undefined || !takesWrite(circuit) || !this.#o.isWritable()) return false
    if (circuit.state === 'halfOpen') circuit.triedMs = this.#now()
    return true
  }

  /** Whether a send now is the trial of a half-open partition. */
  isTrial(partition: number): boolean {
    return this.stateOf(partition) === 'halfOpen'
  }

  /** A produce request of a partition began. */
  sendBegan(partition: number): void {
    const circuit = this.#circuits[partition]
    if (circuit) circuit.beganMs = this.#now()
  }

  /** It ended: an answer of the leader closes the partition, everything else opens it. */
  sendEnded(partition: number, { type }: Pick<PartitionOutcome, 'type'>): void {
    const circuit = this.#circuits[partition]
    if (circuit) circuit.beganMs = undefined
    const isAnswered = type === 'written' || type === 'refused'
    if (isAnswered) this.#lifeMs = this.#now()
    this.#change(partition, isAnswered ? 'closed' : 'open')
  }

  /** Asks the brokers now, unless they are being asked. */
  ask(): Promise<void> {
    this.#asking ??= this.#ask().finally(() => {
      this.#asking = undefined
    })
    return this.#asking
  }

  close(): void {
    this.#closed = true
    clearInterval(this.#clock)
  }

  #check(): void {
    const nowMs = this.#now()
    let isAnyOpen = false
    for (const [partition, circuit] of this.#circuits.entries()) {
      if (circuit.beganMs !== undefined && nowMs - circuit.beganMs > SLOW_SEND_MS) this.#change(partition, 'open')
      const isLost = circuit.beganMs === undefined && nowMs - (circuit.triedMs ?? nowMs) > TRIAL_LOST_MS
      if (isLost) circuit.triedMs = undefined
      if (circuit.state !== 'closed') isAnyOpen = true
    }
    if (isAnyOpen || nowMs - this.#lifeMs > SILENCE_MS) void this.ask()
  }

  async #ask(): Promise<void> {
    if (this.#closed) return
    const isAlive = await this.#o.probe().catch(() => false)
    if (this.#closed) return
    if (isAlive) this.#lifeMs = this.#now()
    // Successful writes outweigh late metadata.
    else if (this.#now() - this.#lifeMs < SILENCE_MS) return
    for (const [partition, { state, beganMs }] of this.#circuits.entries()) {
      if (!isAlive || !this.#o.hasLeader(partition)) this.#change(partition, 'open')
      // A slow partition stays open until its request has ended.
      else if (state === 'open' && beganMs === undefined) this.#change(partition, this.#started ? 'halfOpen' : 'closed')
    }
    if (isAlive) this.#started = true
  }

  #change(partition: number, next: BreakerState): void {
    const circuit = this.#circuits[partition]
    if (circuit === undefined) return
    if (next !== 'halfOpen') circuit.triedMs = undefined
    if (next === circuit.state) return
    circuit.state = next
    this.#o.onChange?.(partition, next)
    if (next === 'open') this.#o.onOpen(partition)
  }
}

function takesWrite({ state, triedMs }: Circuit): boolean {
  return state === 'closed' || (state === 'halfOpen' && triedMs === undefined)
}
