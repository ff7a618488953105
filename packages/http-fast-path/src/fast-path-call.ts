import type { RequestContext } from '@ariftly/http'

/** One post under way, as its handler sees it. */
export class FastPathCall {
  readonly context: RequestContext
  /** By `performance.now`. */
  readonly startedMs: number
  readonly #headers: Record<string, string>
  #release: (() => void) | undefined

  constructor(context: RequestContext, startedMs: number) {
    this.context = context
    this.startedMs = startedMs
    this.#headers = { 'X-Request-Id': context.requestId }
  }

  /** Adds headers to the response, whatever its status is. Values are ASCII. */
  setHeaders(headers: Readonly<Record<string, string>>): void {
    for (const name in headers) this.#headers[name] = headers[name] ?? ''
  }

  /** Has `release` called once, when the response was given to the system or the client has gone. For one caller. */
  onClose(release: () => void): void {
    this.#release = release
  }

  /** The headers of the response so far. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  /** Ends the call. */
  close(): void {
    const release = this.#release
    this.#release = undefined
    release?.()
  }
}
