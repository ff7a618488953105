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
 * A start that first checks the database: its version, that sessions are not shared by a pooler, and that its schema is at least the one that this code knows. On
 * an older schema it throws an error that names the missing migrations; a newer one is fine, as every migration leaves the code of the version before at work. When
 * Postgres cannot be asked within 2 s, or refuses us, the service starts all the same: it waits for Postgres, and says at `/readyz` what is wrong.
 * @param connectionOf tells where Postgres is.
 * @throws Fault `postgres_too_old` or `postgres_sessions_shared`.
 */
export function onKnownSchema<C, D, R>(connectionOf: (config: C) => Connection, start: Start<C, D, R>): Start<C, D, R> {
  return async function startOnKnownSchema(config, deps) {
    const missing = await checkDatabase(connectionOf(config))
    if (missing.length > 0) {
      throw new Error(
        `The schema of the database is older than this version, run migrate first. It lacks ${missing.join(', ')}.`,
      )
    }
    return await start(config, deps)
  }
}

/** The migrations that this code comes with and the database has not had; none when it cannot be asked. */
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
