import { Fault } from '@ariftly/fault'

/**
 * SQLSTATE classes and codes that say "not now": connection (08), authorization (28) and database missing (3D000), out of resources (53),
 * cancelled, timed out, shutting down (57, 25P03, 25P04), I/O (58), locks and conflicts (40, 55P03), a standby that takes no writes
 * (25006), not migrated yet (42P01). https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const NOT_NOW = /^(?:08|28|3D|40|53|57|58)|^(?:25006|25P03|25P04|55P03|42P01)$/

/** After these the connection is closed: the server shuts down, or is a standby with the primary's name. */
const LEAVE_CONNECTION = /^(?:08|58)|^(?:25006|57P0[1-5])$/

/**
 * A query, a connect or a transaction that failed. Only `packages/store` makes these, so a text of a caller never decides whether an error
 * is an outage. `retryable`: the same can succeed later (answered 503); otherwise the query itself is wrong.
 */
export class StoreFault extends Fault {
  /** What Postgres answered (`23505` …); undefined if it answered nothing. */
  readonly sqlState: string | undefined
  /** Whether the connection must not be used again. */
  readonly leavesConnection: boolean

  constructor(cause: unknown) {
    const state = sqlStateOf(cause)
    const unavailable = state === undefined ? isLostConnection(cause) : NOT_NOW.test(state)
    super({
      code: unavailable ? 'store_unavailable' : 'store_refused',
      message: cause instanceof Error ? cause.message : String(cause),
      retryable: unavailable,
      publicMessage: unavailable ? 'The store cannot answer just now. Try again.' : 'Something went wrong on our side.',
      cause,
    })
    this.name = 'StoreFault'
    this.sqlState = state
    this.leavesConnection = state === undefined ? unavailable : LEAVE_CONNECTION.test(state)
  }
}

/** An error of pg as a {@link StoreFault}; returns a Fault or a programming error (RangeError, TypeError) unchanged. */
export function toStoreFault(error: unknown): unknown {
  return error instanceof Fault || error instanceof RangeError || error instanceof TypeError
    ? error
    : new StoreFault(error)
}

/** The SQLSTATE of a query that Postgres refused (`23505` …), undefined for any other error. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof StoreFault ? error.sqlState : undefined
}

/** Whether a row has no partition: Postgres reports this as a broken constraint (23514), of which it tells no name. */
export function isMissingPartition(error: unknown): boolean {
  if (!(error instanceof StoreFault) || error.sqlState !== '23514') return false
  return (error.cause as { readonly constraint?: string }).constraint === undefined
}

/** The SQLSTATE of an error of pg (EPIPE has the form of one). */
export function sqlStateOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || 'syscall' in error || !('code' in error)) return undefined
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}

/** System errors have a `syscall`; for others pg and pg-pool have a message without a code. */
function isLostConnection(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false
  if ('syscall' in error) return true
  // A name with several addresses, none of which answers.
  if (error instanceof AggregateError) return error.errors.some(isLostConnection)
  const message = 'message' in error && typeof error.message === 'string' ? error.message : ''
  return /timeout|terminated|Connection|not queryable|Cannot use a pool/.test(message)
}
