import { sqlState } from './with-transaction.ts'

/**
 * SQLSTATE classes and codes that say "not now": connection (08), authorization (28) and database missing (3D000), out of
 * resources (53), cancelled, timed out, shutting down (57, 25P04), locks and conflicts (40, 55P03), not migrated yet (42P01).
 */
const NOT_NOW = /^(?:08|28|3D|40|53|57)|^(?:25P04|55P03|42P01)$/

/**
 * Whether a query failed because Postgres could not answer it just now (away, starting, overloaded, too slow) and the same
 * query may succeed later. False for what is wrong with the query itself.
 */
export function isStoreUnavailable(error: unknown): boolean {
  const state = sqlState(error)
  if (state !== undefined) return NOT_NOW.test(state)
  if (typeof error !== 'object' || error === null) return false
  if ('syscall' in error) return true
  // What pg and pg-pool say without a code.
  return (
    'message' in error &&
    typeof error.message === 'string' &&
    /timeout|terminated|Connection|not queryable|Cannot use a pool/.test(error.message)
  )
}
