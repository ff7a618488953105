import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import type { Filled } from './workload.ts'

const GIVE_UP_MS = 300_000
const POLL_MS = 20

/** The rate of rows, and the cost of one. */
export interface RowRate {
  readonly perS: number
  /** Processor time of the reader's process for a row. */
  readonly readerUs: number
  /** The same of Postgres, all its processes together. */
  readonly postgresUs: number
}

/** Seconds of processor time that the two have used. */
export interface CpuClocks {
  readonly reader: () => number
  readonly postgres: () => number
}

/**
 * Waits until a reader of the log has written all rows, and returns rows per second and processor time from its first rows (not
 * counted) to its last. So its start and joining the group do not count. Polls by primary key, which costs almost nothing.
 */
export async function watchRows(db: pg.Pool, filled: Filled, cpu: CpuClocks): Promise<RowRate> {
  await until(async () => (await db.query('SELECT FROM events LIMIT 1')).rowCount === 1)
  const firstMs = performance.now()
  const first = await countRows(db)
  const [readerS, postgresS] = [cpu.reader(), cpu.postgres()]
  await until(async () => {
    const { rowCount } = await db.query(`SELECT FROM events WHERE tenant_id = 'default' AND id = ANY ($1::uuid[])`, [
      filled.lastIds,
    ])
    return rowCount === filled.lastIds.length
  })
  const tookMs = performance.now() - firstMs
  const [readerTookS, postgresTookS] = [cpu.reader() - readerS, cpu.postgres() - postgresS]
  const all = await countRows(db)
  if (all !== filled.events) throw new Error(`${all} rows of ${filled.events} events`)
  const rows = all - first
  return {
    perS: (rows / tookMs) * 1000,
    readerUs: (readerTookS * 1e6) / rows,
    postgresUs: (postgresTookS * 1e6) / rows,
  }
}

async function countRows(db: pg.Pool): Promise<number> {
  const { rows } = await db.query<{ count: number }>('SELECT count(*)::int AS count FROM events')
  return rows[0]?.count ?? 0
}

async function until(check: () => Promise<boolean>): Promise<void> {
  for (const endMs = performance.now() + GIVE_UP_MS; !(await check()); await delay(POLL_MS)) {
    if (performance.now() > endMs) throw new Error('the rows were not written in time')
  }
}
