import { fileURLToPath } from 'node:url'
import { runner } from 'node-pg-migrate'
import pg from 'pg'
import type { DatabaseTls } from './pool.ts'

export interface MigrateOptions {
  /** As of `createPool`. */
  readonly tls?: DatabaseTls
  /** Told of each step. Default: nothing. */
  readonly log?: (message: string) => void
}

const MIGRATIONS_DIR = fileURLToPath(new URL('../migrations/', import.meta.url))
/** Any number, the same in all versions: two migrations of one database wait for each other. */
const ADVISORY_LOCK = 4_207_849_484

/**
 * Brings the schema up to date as its owner: the SQL files of `migrations/` that have not run, in one transaction, and the
 * partitions of the accepted window. Runs under an advisory lock and may be repeated at any time. Throws what Postgres
 * answers, with nothing changed.
 */
export async function migrate(adminUrl: string, o: MigrateOptions = {}): Promise<void> {
  const log = o.log ?? ((): void => {})
  const client = new pg.Client({
    connectionString: adminUrl,
    ssl: o.tls ?? false,
    application_name: 'ariftly-migrate',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
  })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('SELECT pg_advisory_lock($1)', [ADVISORY_LOCK])
    await runner({
      dbClient: client,
      dir: MIGRATIONS_DIR,
      direction: 'up',
      migrationsTable: 'pgmigrations',
      singleTransaction: true,
      noLock: true,
      logger: { info: log, warn: log, error: log, debug: () => {} },
    })
    await ensureWindow(client)
  } finally {
    await client.end()
  }
}

async function ensureWindow(client: pg.Client): Promise<void> {
  await client.query(
    `SELECT ensure_event_partitions(now_ms - 90 * 86400000::bigint, now_ms + 14 * 86400000::bigint),
            ensure_delivery_partitions(now_ms - 35 * 86400000::bigint, now_ms + 14 * 86400000::bigint)
       FROM (SELECT (extract(epoch FROM now()) * 1000)::bigint AS now_ms) AS clock`,
  )
}
