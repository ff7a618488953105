import type { IssuedStreamToken } from '../options.ts'
import type { StreamFilter } from '../types.ts'

/** Part of a token's life after which another one is asked for. */
const RENEWAL = 0.8
/** How long to wait when no other one can be had. */
const AGAIN_MS = 5000
/** The shortest time between two renewals: by a clock that is ahead, a token ends before it is given out. */
const RENEWAL_MS_MIN = 1000

/** The token of one stream: asked for when it is needed, and again before it ends. */
export class StreamTokenSource {
  readonly #ask: (filter: StreamFilter) => Promise<IssuedStreamToken>
  readonly #filter: StreamFilter
  #token: string | undefined
  #renewAtMs = 0
  #endsAtMs = 0
  /** Whether the server took a token since it refused one last; at first it is given the benefit of the doubt. */
  #isTrusted = true

  constructor(ask: (filter: StreamFilter) => Promise<IssuedStreamToken>, filter: StreamFilter) {
    this.#ask = ask
    this.#filter = filter
  }

  /** A token that is good for now. Rejects when a new one is needed and cannot be had. */
  async get(): Promise<string> {
    if (this.#token !== undefined && Date.now() < this.#renewAtMs) return this.#token
    try {
      const { token, expires_at: expiresAt } = await this.#ask(this.#filter)
      const nowMs = Date.now()
      const endsAtMs = Date.parse(expiresAt ?? '')
      this.#endsAtMs = Number.isNaN(endsAtMs) ? Infinity : endsAtMs
      this.#renewAtMs = nowMs + Math.max(RENEWAL_MS_MIN, (this.#endsAtMs - nowMs) * RENEWAL)
      this.#token = token
      return token
    } catch (error) {
      // The current token is still valid.
      if (this.#token === undefined || Date.now() >= this.#endsAtMs) throw error
      this.#renewAtMs = Date.now() + AGAIN_MS
      return this.#token
    }
  }

  /** The server does not take the token. Whether another one may help: not when the one before was refused too. */
  drop(): boolean {
    const mayHelp = this.#isTrusted
    this.#isTrusted = false
    this.#token = undefined
    return mayHelp
  }

  /** The server has taken the token. */
  taken(): void {
    this.#isTrusted = true
  }

  /** Milliseconds until it is to be renewed. */
  get renewInMs(): number {
    return Math.max(0, this.#renewAtMs - Date.now())
  }
}
