import type { ErrorClass } from './outcome.ts'

/** An exchange that failed in a way that has a class; `detail` is fit for the attempt's record, `unreachable` as in the outcome. */
export class EgressFault extends Error {
  readonly errorClass: ErrorClass
  readonly unreachable: string | null

  constructor(errorClass: ErrorClass, detail: string, unreachable: string | null = null) {
    super(detail)
    this.name = 'EgressFault'
    this.errorClass = errorClass
    this.unreachable = unreachable
  }
}

/** The class of any error of a socket, TLS or undici. What breaks the protocol counts as a reset: we end it. */
export function toEgressFault(error: unknown, phase: 'connect' | 'tls' | 'exchange'): EgressFault {
  if (error instanceof EgressFault) return error
  const code = codeOf(error)
  const detail = [code, error instanceof Error ? error.message : String(error)].filter(Boolean).join(': ').slice(0, 500)
  const reset = code === 'ECONNRESET' || code === 'EPIPE'
  switch (phase) {
    case 'connect':
      return new EgressFault(
        code === 'ETIMEDOUT' ? 'timeout' : reset ? 'connection_reset' : 'connection_refused',
        detail,
      )
    case 'tls':
      return new EgressFault(reset ? 'connection_reset' : 'tls_error', detail)
    case 'exchange':
      return new EgressFault('connection_reset', detail)
  }
}

/** The code of an error of Node, as `ENOTFOUND`. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
