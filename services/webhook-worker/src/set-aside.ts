import { backoffMs } from '@ariftly/async'

const BASE_MS = 500
const MAX_MS = 60_000

/** Webhooks or tenants whose statements fail: each is left alone for a time that doubles up to a minute. */
export class SetAside {
  readonly #entries = new Map<string, { readonly failures: number; readonly untilMs: number }>()

  /** Whether it has failed and has not succeeded since. */
  has(id: string): boolean {
    return this.#entries.has(id)
  }

  /** Whether it is left alone now. */
  rests(id: string): boolean {
    return (this.#entries.get(id)?.untilMs ?? 0) > performance.now()
  }

  /** Those that are left alone now. */
  get resting(): readonly string[] {
    return [...this.#entries.keys()].filter((id) => this.rests(id))
  }

  failed(id: string): void {
    const failures = (this.#entries.get(id)?.failures ?? 0) + 1
    const untilMs = performance.now() + backoffMs(failures, { baseMs: BASE_MS, maxMs: MAX_MS })
    this.#entries.set(id, { failures, untilMs })
  }

  succeeded(id: string): void {
    this.#entries.delete(id)
  }
}
