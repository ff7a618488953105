import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Filled } from './workload.ts'

const GIVE_UP_MS = 300_000
const POLL_MS = 20

/**
 * Waits until a reader of the log has written all of it, and answers rows per second from the moment of its first rows
 * (they do not count) to that of the last: its start, and joining the group, are left out. Looks by primary key, which costs
 * the one that is measured nothing to speak of.
 */
export async function rowsPerS(db: pg.Pool, filled: Filled): Promise<number> {
  await until(async () => (await db.query('SELECT FROM events LIMIT 1')).rowCount === 1)
  const firstMs = performance.now()
  const first = await countRows(db)
  await until(async () => {
    const { rowCount } = await db.query(`SELECT FROM events WHERE tenant_id = 'default' AND id = ANY ($1::uuid[])`, [
      filled.lastIds,
    ])
    return rowCount === filled.lastIds.length
  })
  const tookMs = performance.now() - firstMs
  const all = await countRows(db)
  if (all !== filled.events) throw new Error(`${all} rows of ${filled.events} events`)
  return ((all - first) / tookMs) * 1000
}

async function countRows(db: pg.Pool): Promise<number> {
  const { rows } = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM events')
  return rows[0]?.count ?? 0
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + GIVE_UP_MS; !(await check()); await delay(POLL_MS)) {
    if (performance.now() > endMs) throw new Error('the rows did not come')
  }
}
