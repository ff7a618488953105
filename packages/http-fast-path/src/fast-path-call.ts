import type { RequestContext } from '@ariftly/http'

/** One post under way, as its handler sees it. */
export class FastPathCall {
  readonly context: RequestContext
  /** By `performance.now`. */
  readonly startedMs: number
  readonly #headers: Record<string, string>
  #releases: (() => void)[] | undefined

  constructor(context: RequestContext, startedMs: number) {
    this.context = context
    this.startedMs = startedMs
    this.#headers = { 'X-Request-Id': context.requestId }
  }

  /** Adds headers to the response, whatever its status is. Values are ASCII. */
  setHeaders(headers: Readonly<Record<string, string>>): void {
    for (const name in headers) this.#headers[name] = headers[name] ?? ''
  }

  /** Calls `release` once, when the response was given to the system or the client has gone. */
  onClose(release: () => void): void {
    if (this.#releases === undefined) this.#releases = [release]
    else this.#releases.push(release)
  }

  /** The headers of the response so far. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  /** Ends the call. */
  close(): void {
    const releases = this.#releases ?? []
    this.#releases = undefined
    for (const release of releases) release()
  }
}
