import { setTimeout as delay } from 'node:timers/promises'
import type { Pool } from './pool.ts'
import type { Transaction } from './queryable.ts'
import { sqlState, StoreFault } from './store-fault.ts'

/** How often a deadlock (40P01) or a serialization failure (40001) runs a transaction again. */
const RETRIES_MAX = 3

/**
 * Runs `fn` in one transaction on one connection: commits when it resolves, rolls back and rethrows when it throws. `fn`
 * may run more than once, so it changes nothing but the database. A failed COMMIT throws too: then it is unknown whether
 * it took place.
 */
export async function withTransaction<T>(pool: Pool, fn: (tx: Transaction) => Promise<T>): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await runOnce(pool, fn)
    } catch (error) {
      if (attempt >= RETRIES_MAX || !isRetryable(error)) throw error
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
    const rolledBack = await tx.query('ROLLBACK').then(
      () => true,
      () => false,
    )
    broken = !rolledBack || (error instanceof StoreFault && error.leavesConnection)
    throw error
  } finally {
    tx.release(broken)
  }
}

function isRetryable(error: unknown): boolean {
  const code = sqlState(error)
  return code === '40P01' || code === '40001'
}
