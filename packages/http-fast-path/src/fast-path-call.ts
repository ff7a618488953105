import type { RequestContext } from '@ariftly/http'

/** The memory that a post takes. */
export interface PostMemory {
  /** The response is written, and `unsentBytes` of it are not sent yet. False when the client is to be cut. */
  answered(unsentBytes: number): boolean
  /** The response is sent completely, or the client has disconnected. */
  release(): void
}

/** One post under way, as its handler sees it. */
export class FastPathCall {
  readonly context: RequestContext
  /** By `performance.now`. */
  readonly startedMs: number
  readonly #headers: Record<string, string>
  #memory: PostMemory | undefined

  constructor(context: RequestContext, startedMs: number) {
    this.context = context
    this.startedMs = startedMs
    this.#headers = { 'X-Request-Id': context.requestId }
  }

  /** Adds headers to the response, with any status. Values are ASCII. */
  setHeaders(headers: Readonly<Record<string, string>>): void {
    for (const name in headers) this.#headers[name] = headers[name] ?? ''
  }

  /** Reports to the post's memory when the response ends. For one caller. */
  hold(memory: PostMemory): void {
    this.#memory = memory
  }

  /** The headers of the response so far. */
  get headers(): Readonly<Record<string, string>> {
    return this.#headers
  }

  /** `unsentBytes` of the response wait for the client. False when the client is to be cut. */
  wait(unsentBytes: number): boolean {
    return this.#memory?.answered(unsentBytes) ?? true
  }

  /** Ends the call: the response was given to the kernel, or the client has disconnected. */
  close(): void {
    const memory = this.#memory
    this.#memory = undefined
    memory?.release()
  }
}
