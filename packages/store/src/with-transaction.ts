import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from './pool.ts'
import type { Transaction } from './queryable.ts'

export interface TransactionOptions {
  /** How often a deadlock (40P01) or a serialization failure (40001) runs `fn` again. Default 3. */
  readonly retries?: number
}

/**
 * Runs `fn` in one transaction on one connection: commits when it resolves, rolls back and rethrows when it throws. `fn`
 * may run more than once, so it changes nothing but the database. A failed COMMIT throws too: then it is unknown whether
 * it took place.
 */
export async function withTransaction<T>(
  pool: Pool,
  fn: (tx: Transaction) => Promise<T>,
  o: TransactionOptions = {},
): Promise<T> {
  const retries = o.retries ?? 3
  for (let attempt = 0; ; attempt++) {
    try {
      return await runOnce(pool, fn)
    } catch (error) {
      if (attempt >= retries || !isRetryable(error)) throw error
      await delay(5 * 2 ** attempt)
    }
  }
}

async function runOnce<T>(pool: Pool, fn: (tx: Transaction) => Promise<T>): Promise<T> {
  const tx = await pool.connect()
  let broken = false
  try {
    await tx.query('BEGIN')
    const result = await fn(tx)
    await tx.query('COMMIT')
    return result
  } catch (error) {
    broken = await tx.query('ROLLBACK').then(
      () => false,
      () => true,
    )
    throw error
  } finally {
    tx.release(broken)
  }
}

function isRetryable(error: unknown): boolean {
  const code = sqlState(error)
  return code === '40P01' || code === '40001'
}

/** The SQLSTATE of an error that Postgres answered (`23505` …), undefined for any other error (EPIPE looks like one). */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || 'syscall' in error || !('code' in error)) return undefined
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined
}
