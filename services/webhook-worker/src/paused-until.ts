import { backoffMs } from '@ariftly/async'

/** The shortest pause: at 1,000 tokens a second a webhook has ten by then. */
const PAUSE_MS_MIN = 10
/** After a failure. */
const FAILED = { baseMs: 500, maxMs: 60_000 } as const

/** Webhooks or tenants that are paused until a time: nothing is done for them before it, even when they are woken. */
export class PausedUntil {
  readonly #pauses = new Map<string, { readonly untilMs: number; readonly timer: NodeJS.Timeout }>()
  /** In a row. */
  readonly #failures = new Map<string, number>()
  readonly #onEnd: (id: string) => void

  /** `onEnd` is called when a pause ends. */
  constructor(onEnd: (id: string) => void = () => {}) {
    this.#onEnd = onEnd
  }

  /** Whether an id is paused. */
  has(id: string): boolean {
    return this.#pauses.has(id)
  }

  /** The ids that are paused. */
  get ids(): readonly string[] {
    return [...this.#pauses.keys()]
  }

  /** Pauses an id for `ms`, or until its present pause ends if that is later. */
  pause(id: string, ms: number): void {
    const pauseMs = Math.max(ms, PAUSE_MS_MIN)
    const untilMs = performance.now() + pauseMs
    const before = this.#pauses.get(id)
    if (before !== undefined && before.untilMs >= untilMs) return
    clearTimeout(before?.timer)
    // It keeps no process alive.
    const timer = setTimeout(() => this.#end(id), pauseMs).unref()
    this.#pauses.set(id, { untilMs, timer })
  }

  /** Whether it has failed and has not succeeded since. */
  hasFailed(id: string): boolean {
    return this.#failures.has(id)
  }

  /** Pauses it for a time that doubles with each failure up to a minute. */
  failed(id: string): void {
    const failures = (this.#failures.get(id) ?? 0) + 1
    this.#failures.set(id, failures)
    this.pause(id, backoffMs(failures, FAILED))
  }

  succeeded(id: string): void {
    this.#failures.delete(id)
  }

  #end(id: string): void {
    this.#pauses.delete(id)
    this.#onEnd(id)
  }
}
