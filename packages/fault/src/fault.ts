/** Members of a {@link Fault}. */
export interface FaultDetails {
  /** Stable, snake_case; code and alarms distinguish faults by it. */
  readonly code: string
  /** For logs and operators. */
  readonly message: string
  /** Whether doing the same again later can succeed; default false. */
  readonly retryable?: boolean
  /** What a client of the API may read; without it the client reads a general sentence. */
  readonly publicMessage?: string
  /** Numbers and names for the log. */
  readonly detail?: Readonly<Record<string, unknown>>
  readonly cause?: unknown
}

/** The unexpected: something that is not an outcome of the operation (those are values). One place of each service acts on it. */
export class Fault extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly publicMessage: string | undefined
  readonly detail: Readonly<Record<string, unknown>>

  constructor(details: FaultDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Fault'
    this.code = details.code
    this.retryable = details.retryable ?? false
    this.publicMessage = details.publicMessage
    this.detail = details.detail ?? {}
  }
}

/** Whether an error is a {@link Fault} with one of these codes. */
export function hasFaultCode(error: unknown, ...codes: readonly string[]): error is Fault {
  return error instanceof Fault && codes.includes(error.code)
}

/** The message of any thrown value, without passwords. */
export function messageOf(error: unknown): string {
  return maskCredentials(error instanceof Error ? error.message : String(error))
}

/** Drivers may quote an address with credentials in their messages. */
const CREDENTIALS = /\b([a-z][a-z\d+.-]*:\/\/)[^\s:/@]*:\S*@/gi

/** A text in which user and password of every URL are replaced. */
export function maskCredentials(text: string): string {
  return text.includes('://') ? text.replace(CREDENTIALS, '$1[redacted]@') : text
}
