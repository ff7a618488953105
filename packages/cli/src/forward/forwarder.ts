import { Signal } from '../state/signal.ts'
import { Watermark, type WatermarkEntry } from '../state/watermark.ts'
import type { Attempt, AttemptOutcome, ForwardedEvent, Settled } from './outcome.ts'

/** How events are forwarded. */
export interface ForwarderSettings {
  readonly attempt: Attempt
  /** Tasks with an attempt under way at a time. */
  readonly concurrency: number
  /** Attempts that the target answers, or breaks off, before an event is given up. */
  readonly attemptsMax: number
  /** Milliseconds before the next attempt, after `failures` failed ones. */
  readonly retryMs: (failures: number) => number
  /** Called before an event that was given up is settled. When it rejects, the forwarder fails. */
  readonly onGivenUp: (settled: Settled) => Promise<void>
  readonly onSettled: (settled: Settled) => void
}

/** How many events there were, and how many there are. */
export interface ForwardCounts {
  readonly delivered: number
  readonly failed: number
  /** Taken, and neither delivered nor given up. */
  readonly inFlight: number
}

/** Since when the target takes no connections, and why. */
export interface TargetDown {
  readonly sinceMs: number
  readonly reason: string
}

/** What is held at a time; beyond it `add` waits. */
export const WINDOW = { events: 1000, bytes: 32 * 1024 * 1024 } as const
/** Ids of settled events that are known at most, about 130 kB of JSON: so many can be settled while one event is retried. */
export const SETTLED_BEHIND_MAX = 4096
/** Wait before a probe of the target; it doubles up to `max`. */
const PROBE_MS = { first: 250, max: 2000 } as const

/** A place in the stream. */
interface Place {
  readonly position: string | undefined
  /** Of the event there. */
  readonly id: string
}

interface Entry {
  readonly event: ForwardedEvent
  readonly mark: WatermarkEntry<Place>
  /** Rises with each event that is taken. */
  readonly order: number
  attempts: number
}

/**
 * Forwards events: one after the other within a task, tasks in parallel. A free place goes to the oldest event whose task is free, so
 * that the position follows what is delivered. An answer other than 2xx is retried within its task, and given up after
 * `attemptsMax`. While the target takes no connections everything waits, no attempt counts, and one event at a time probes.
 */
export class Forwarder {
  readonly #settings: ForwarderSettings
  readonly #tasks = new Map<string, Entry[]>()
  /** The first event of each task in which none is under way or waits for a retry, oldest first. */
  readonly #ready: Entry[] = []
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #window = new Watermark<Place>()
  readonly #changed = new Signal()
  readonly #counts = { delivered: 0, failed: 0, inFlight: 0 }
  #bytes = 0
  #taken = 0
  #running = 0
  #down: TargetDown | undefined
  /** Wait before the next probe. */
  #probeMs: number = PROBE_MS.first
  /** `stopped` also once it has failed. */
  #state: 'running' | 'stopped' = 'running'
  #failure: { readonly error: unknown } | undefined

  constructor(settings: ForwarderSettings) {
    this.#settings = settings
  }

  get counts(): ForwardCounts {
    return this.#counts
  }

  get down(): TargetDown | undefined {
    return this.#down
  }

  /** The position of the last event before which all are delivered or given up. */
  get position(): string | undefined {
    return this.#window.position?.position
  }

  /** Ids of the events behind it that are delivered or given up, `SETTLED_BEHIND_MAX` at most. */
  get settledBehind(): readonly string[] {
    return this.#window.settledBehind(SETTLED_BEHIND_MAX).map(({ id }) => id)
  }

  /** Whether `add` would wait. */
  get isFull(): boolean {
    return this.#counts.inFlight >= WINDOW.events || this.#bytes >= WINDOW.bytes
  }

  /** Takes an event once there is room; false when it was not taken, as the forwarder was stopped. Rejects when it has failed. */
  async add(event: ForwardedEvent, position: string | undefined): Promise<boolean> {
    while (this.isFull && this.#state === 'running') await this.#changed.next()
    if (this.#failure !== undefined) throw this.#failure.error
    if (this.#state === 'stopped') return false
    const entry: Entry = {
      event,
      mark: this.#window.add({ position, id: event.id }),
      order: this.#taken,
      attempts: 0,
    }
    this.#taken += 1
    this.#counts.inFlight += 1
    this.#bytes += event.body.length
    const queue = this.#tasks.get(event.key)
    queue?.push(entry)
    if (queue === undefined) {
      this.#tasks.set(event.key, [entry])
      this.#makeReady(entry)
      this.#pump()
    }
    return true
  }

  /** Takes the position of an event that needs no forwarding. */
  pass(id: string, position: string | undefined): void {
    this.#window.settle(this.#window.add({ position, id }))
  }

  /** Resolves when nothing is in flight, or when it was stopped; rejects when it has failed. */
  async drained(): Promise<void> {
    while (this.#counts.inFlight > 0 && this.#state === 'running') await this.#changed.next()
    if (this.#failure !== undefined) throw this.#failure.error
  }

  /** Starts no more attempts; resolves when none is under way, or after `timeoutMs`. */
  async stop(timeoutMs: number): Promise<void> {
    this.#halt()
    // The clock is not asked: a timer may be early by a fraction of a millisecond.
    const deadline = new AbortController()
    deadline.signal.addEventListener('abort', () => this.#changed.wake())
    const timer = setTimeout(() => deadline.abort(), timeoutMs)
    while (this.#running > 0 && !deadline.signal.aborted) await this.#changed.next()
    clearTimeout(timer)
  }

  /** Starts no more attempts; `add` and `drained` reject. */
  fail(error: unknown): void {
    this.#failure ??= { error }
    this.#halt()
  }

  #halt(): void {
    this.#state = 'stopped'
    for (const timer of this.#timers) clearTimeout(timer)
    this.#changed.wake()
  }

  #makeReady(entry: Entry): void {
    const at = this.#ready.findLastIndex(({ order }) => order < entry.order)
    this.#ready.splice(at + 1, 0, entry)
  }

  #pump(): void {
    while (this.#down === undefined && this.#running < this.#settings.concurrency) {
      const entry = this.#state === 'running' ? this.#ready.shift() : undefined
      if (entry === undefined) return
      void this.#attempt(entry, false)
    }
  }

  async #attempt(entry: Entry, isProbe: boolean): Promise<void> {
    this.#running += 1
    const startedMs = performance.now()
    const outcome = await this.#settings.attempt(entry.event)
    this.#running -= 1
    if (outcome.type === 'unreachable') this.#goDown(entry, outcome.reason, isProbe)
    else await this.#take(entry, outcome, performance.now() - startedMs).catch((error: unknown) => this.fail(error))
    if (isProbe && outcome.type !== 'unreachable') {
      this.#down = undefined
      this.#probeMs = PROBE_MS.first
    }
    this.#pump()
    this.#changed.wake()
  }

  async #take(entry: Entry, outcome: Answered, durationMs: number): Promise<void> {
    const { event } = entry
    const { status } = outcome
    const attempts = (entry.attempts += 1)
    if (outcome.type === 'delivered') {
      this.#settle(entry, { event, result: 'delivered', status, reason: undefined, attempts, durationMs })
    } else if (attempts < this.#settings.attemptsMax) {
      this.#later(this.#settings.retryMs(attempts), () => {
        this.#makeReady(entry)
        this.#pump()
      })
      return
    } else {
      const settled: Settled = { event, result: 'failed', status, reason: outcome.reason, attempts, durationMs }
      await this.#settings.onGivenUp(settled)
      this.#settle(entry, settled)
    }
    const queue = this.#tasks.get(event.key)
    queue?.shift()
    const next = queue?.[0]
    if (next === undefined) this.#tasks.delete(event.key)
    else this.#makeReady(next)
  }

  #settle(entry: Entry, settled: Settled): void {
    this.#counts[settled.result] += 1
    this.#counts.inFlight -= 1
    this.#bytes -= entry.event.body.length
    this.#window.settle(entry.mark)
    this.#settings.onSettled(settled)
  }

  /** The first to find the target down begins the probes; each of them that fails is followed by another one, after a longer wait. */
  #goDown(entry: Entry, reason: string, isProbe: boolean): void {
    this.#makeReady(entry)
    const isFirst = this.#down === undefined
    this.#down = { sinceMs: this.#down?.sinceMs ?? Date.now(), reason }
    if (!isFirst && !isProbe) return
    this.#later(this.#probeMs, () => {
      const next = this.#ready.shift()
      if (next !== undefined) void this.#attempt(next, true)
    })
    this.#probeMs = Math.min(PROBE_MS.max, this.#probeMs * 2)
  }

  #later(ms: number, run: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      if (this.#state === 'running') run()
    }, ms)
    this.#timers.add(timer)
  }
}

type Answered = Exclude<AttemptOutcome, { readonly type: 'unreachable' }>
