import { readdirSync } from 'node:fs'
import { hasFaultCode } from '@ariftly/fault'
import { MIGRATIONS_DIR } from './migrate.ts'
import { createPool, SERVICE_ROLE, type Pool, type PoolOptions } from './pool.ts'
import { refuseSharedSessions } from './session.ts'
import { sqlState } from './store-fault.ts'

/** How a service starts. */
export type Start<C, D, R> = (config: C, deps: D) => Promise<R>

type Connection = Pick<PoolOptions, 'url' | 'tls'>

/**
 * Wraps a start to check the database first: its version, that no pooler shares sessions, and that its schema is at least as new
 * as this code. An older schema throws an error that names the missing migrations; a newer one is fine, as every migration keeps
 * the previous version's code working. When Postgres is unreachable for 2 s or refuses us, the service starts anyway: it waits
 * for Postgres, and `/readyz` names the failure.
 * @param connectionOf gives the address of Postgres.
 * @throws Fault `postgres_too_old` or `postgres_sessions_shared`.
 */
export function onKnownSchema<C, D, R>(connectionOf: (config: C) => Connection, start: Start<C, D, R>): Start<C, D, R> {
  return async function startOnKnownSchema(config, deps) {
    const missing = await checkDatabase(connectionOf(config))
    if (missing.length > 0) {
      throw new Error(
        `The schema of the database is older than this version, run migrate first. Missing: ${missing.join(', ')}.`,
      )
    }
    return await start(config, deps)
  }
}

/** The migrations of this code that the database does not have; none when it cannot be queried. */
async function checkDatabase(connection: Connection): Promise<readonly string[]> {
  const known = readdirSync(MIGRATIONS_DIR).map((file) => file.replace(/\.sql$/, ''))
  const pool = createPool({
    ...connection,
    applicationName: 'ariftly-schema',
    max: 2,
    role: SERVICE_ROLE,
    statementTimeoutMs: 2_000,
  })
  try {
    await checkSessions(pool)
    const { rows } = await pool.query<{ name: string }>('SELECT name FROM pgmigrations')
    const had = new Set(rows.map((row) => row.name))
    return known.filter((file) => !had.has(file)).toSorted()
  } catch (error) {
    if (hasFaultCode(error, 'postgres_too_old', 'postgres_sessions_shared')) throw error
    return isUnmigrated(error) ? known.toSorted() : []
  } finally {
    await pool.end()
  }
}

async function checkSessions(pool: Pool): Promise<void> {
  const one = await pool.connect()
  try {
    const other = await pool.connect()
    try {
      await refuseSharedSessions(one, other)
    } finally {
      other.release()
    }
  } finally {
    one.release()
  }
}

/** No such role, table or right: `migrate` makes all three. */
function isUnmigrated(error: unknown): boolean {
  return ['22023', '42501', '42P01', '42704'].includes(sqlState(error) ?? '')
}
