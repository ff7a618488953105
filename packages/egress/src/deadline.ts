import { EgressFault } from './fault.ts'

/** The end of one exchange's time. Its signal is made only when something asks for it, as most exchanges use a kept connection. */
export class Deadline {
  /** Called once when the time is over; a later value replaces the one before. */
  onPassed: ((fault: EgressFault) => void) | undefined
  readonly #timeoutMs: number
  readonly #timer: NodeJS.Timeout
  #controller: AbortController | undefined
  #fault: EgressFault | undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
    this.#timer = setTimeout(passed, timeoutMs, this)
  }

  /** Why the time is over; undefined while it is not. */
  get fault(): EgressFault | undefined {
    return this.#fault
  }

  /** Aborts with the fault when the time is over. */
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#fault !== undefined) this.#controller.abort(this.#fault)
    return this.#controller.signal
  }

  pass(): void {
    this.#fault = new EgressFault('timeout', `no complete answer within ${this.#timeoutMs} ms`)
    this.#controller?.abort(this.#fault)
    this.onPassed?.(this.#fault)
  }

  /** The exchange has ended before its time. */
  end(): void {
    clearTimeout(this.#timer)
  }
}

function passed(deadline: Deadline): void {
  deadline.pass()
}
