import { startPoll } from '@ariftly/async'
import { messageOf } from '@ariftly/fault'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

/** Whether one backend answers this process. */
export interface Backend {
  /** To be called with each answer that this process gets, and on whose connection does not matter. */
  readonly answered: () => void
  /** `ok`, or for how long there has been no answer, and why; for `/readyz`. */
  readonly state: string
  /**
   * Watches the backend from now on; of several calls the first one counts. `probe` asks it anything, and is called only when nothing
   * else was answered for two seconds. Returns how to end that.
   */
  watch(probe: () => Promise<unknown>): () => void
}

/** The backends that a process may use. One that it does not watch has no metric. */
export interface Backends {
  readonly kafka: Backend
  readonly postgres: Backend
  readonly redis: Backend
  /** Their states by name, for `/readyz`. */
  readonly statesOf: (...names: readonly BackendName[]) => Readonly<Record<string, string>>
}

type BackendName = 'kafka' | 'postgres' | 'redis'

/** After so long without an answer, ms, the backend is asked; half as long after a probe that failed. */
const PROBE_AFTER_MS = 2_000
/** A backend that leaves the first question since its last answer open for so long, ms, is unavailable. A slow one answers sooner. */
const ANSWER_MS_MAX = 10_000

/**
 * Makes the backends of a process. One is unavailable when it has left a question open for ten seconds, until its first answer:
 * `ariftly_backend_up` and `/readyz` say the same.
 * @param o.now a monotonic clock, ms.
 */
export function createBackends(o: {
  readonly metrics: Metrics
  readonly log: Pick<Logger, 'warn'>
  readonly now?: () => number
  readonly probeAfterMs?: number
}): Backends {
  const { log, now = () => performance.now(), probeAfterMs = PROBE_AFTER_MS } = o
  const shared = { log, now, probeAfterMs }
  const backends = {
    kafka: new WatchedBackend('kafka', shared),
    postgres: new WatchedBackend('postgres', shared),
    redis: new WatchedBackend('redis', shared),
  }
  o.metrics.gauge({
    name: 'ariftly_backend_up',
    help: '1 while the backend answers this process, 0 when it has not for 10 s; kafka: any broker.',
    labels: ['backend'],
    collect(gauge) {
      for (const [backend, watched] of Object.entries(backends)) {
        if (watched.isWatched) gauge.set({ backend }, watched.isUp ? 1 : 0)
      }
    },
  })
  return { ...backends, statesOf: (...names) => Object.fromEntries(names.map((name) => [name, backends[name].state])) }
}

interface WatchOptions {
  readonly log: Pick<Logger, 'warn'>
  readonly now: () => number
  readonly probeAfterMs: number
}

class WatchedBackend implements Backend {
  readonly #name: string
  readonly #o: WatchOptions
  #answeredMs = Number.NEGATIVE_INFINITY
  /** When the first question since the last answer was asked. */
  #askedMs: number | undefined
  #why = ''
  isWatched = false

  constructor(name: string, o: WatchOptions) {
    this.#name = name
    this.#o = o
  }

  readonly answered = (): void => {
    this.#answeredMs = this.#o.now()
    this.#askedMs = undefined
  }

  get isUp(): boolean {
    return this.#openMs < ANSWER_MS_MAX
  }

  get state(): string {
    return this.isUp ? 'ok' : `no answer for ${Math.floor(this.#openMs / 1000)} s${this.#why}`
  }

  watch(probe: () => Promise<unknown>): () => void {
    if (this.isWatched) return () => {}
    this.isWatched = true
    const closing = new AbortController()
    startPoll({
      step: () => this.#probe(probe),
      everyMs: this.#o.probeAfterMs / 2,
      onFailure: (error) => {
        this.#why = `: ${messageOf(error)}`
      },
      signal: closing.signal,
      log: this.#o.log,
      failing: `${this.#name} does not answer`,
    })
    // Not waited for: a question may be open for longer than a process has to end.
    return () => closing.abort()
  }

  /** For how long a question has been open, ms; 0 when none is. */
  get #openMs(): number {
    return this.#askedMs === undefined ? 0 : this.#o.now() - this.#askedMs
  }

  /** Returns the pause before the next look. */
  async #probe(probe: () => Promise<unknown>): Promise<number> {
    const { now, probeAfterMs } = this.#o
    const quietMs = now() - this.#answeredMs
    if (quietMs < probeAfterMs) return probeAfterMs - quietMs
    this.#askedMs ??= now()
    await probe()
    this.answered()
    return probeAfterMs
  }
}
