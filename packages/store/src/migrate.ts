import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Fault } from '@ariftly/fault'
import pg from 'pg'
import { buildPartitionIndexes } from './build-partition-indexes.ts'
import type { DatabaseTls } from './pool.ts'
import { GONE_CLIENT, prepareSession } from './session.ts'
import { sqlStateOf } from './store-fault.ts'

/** How to reach the database, and which migrations to run. */
export interface MigrateOptions {
  /** As of `createPool`. */
  readonly tls?: DatabaseTls
  /** Called with each step. Default: nothing. */
  readonly log?: (message: string) => void
  /** The folder of the SQL files. Default: {@link MIGRATIONS_DIR}. */
  readonly dir?: string
}

/** The folder of our SQL files. */
export const MIGRATIONS_DIR = fileURLToPath(new URL('../migrations/', import.meta.url))
/** Any number, the same in all versions: two migrations of one database wait for each other. */
const ADVISORY_LOCK = 4_207_849_484
/** Queries of a table queue behind a migration that waits for its lock, so this is less than the services' `lock_timeout`. */
const LOCK_TIMEOUT_MS = 2_000
const LOCK_PATIENCE_MS = 60_000
/** No lock in time; a deadlock, as services lock in their own order. */
const LOCKED = new Set(['55P03', '40P01'])
const LOCK_PAUSE_MS = 500

/**
 * Brings the schema up to date as its owner: the SQL files of `migrations/` that have not run, in one transaction, and the
 * partitions of the accepted window; then builds missing indexes of partitions. Runs under an advisory lock while services run,
 * and may be repeated at any time. A lock that it does not get within 2 s is retried for a minute. Throws Postgres's error, with
 * nothing changed.
 * @throws Fault `schema_of_a_draft` when the database was migrated by a draft of this schema, or the first file was edited.
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
    await prepareSession(client, GONE_CLIENT, null)
    await lockMigrations(client, log)
    await client.query(`SET lock_timeout = ${LOCK_TIMEOUT_MS}`)
    const dir = o.dir ?? MIGRATIONS_DIR
    await checkDraft(client, digestOf(dir))
    await withLockPatience(() => runMigrations(client, dir, log), log)
    await withLockPatience(() => ensureWindow(client), log)
    const retryLocked = (step: () => Promise<void>): Promise<void> => withLockPatience(step, log)
    await buildPartitionIndexes(client, { log, lockTimeoutMs: LOCK_TIMEOUT_MS, retryLocked })
    await client.query('GRANT SELECT ON pgmigrations TO ariftly_app')
  } finally {
    await client.end()
  }
}

/** Polls for the lock: a waiting statement would hold a snapshot, which blocks a concurrent index build. */
async function lockMigrations(client: pg.Client, log: (message: string) => void): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    const { rows } = await client.query<{ locked: boolean }>('SELECT pg_try_advisory_lock($1) AS locked', [
      ADVISORY_LOCK,
    ])
    if (rows[0]?.locked === true) return
    if (tries === 0) log('another migrate of this database runs: waiting for its end')
    await delay(LOCK_PAUSE_MS)
  }
}

/** Digest of the first file, without its comments and blank lines. */
function digestOf(dir: string): string {
  const [first = ''] = readdirSync(dir).toSorted()
  const text = readFileSync(join(dir, first), 'utf8').replaceAll(/^\s*(--.*)?\n/gm, '')
  return createHash('sha256').update(text).digest('hex')
}

/** Compares the digest with the one that the database was made from. The first file stores it, from the setting `ariftly.schema`. */
async function checkDraft(client: pg.Client, digest: string): Promise<void> {
  await client.query(`SELECT set_config('ariftly.schema', $1, false)`, [digest])
  const { rows: tables } = await client.query<{ isMigrated: boolean; hasDigest: boolean }>(
    `SELECT to_regclass('public.pgmigrations') IS NOT NULL AS "isMigrated",
            to_regclass('public.schema_digest') IS NOT NULL AS "hasDigest"`,
  )
  if (tables[0]?.isMigrated !== true) return
  // A first run that failed leaves an empty table of migrations.
  const { rows } = await client.query<{ digest: string }>(
    tables[0].hasDigest ? 'SELECT digest FROM schema_digest' : `SELECT '' AS digest FROM pgmigrations LIMIT 1`,
  )
  if (rows.every((row) => row.digest === digest)) return
  throw new Fault({
    code: 'schema_of_a_draft',
    message:
      'This database was made by a draft of the schema from before the first release, and cannot be migrated. ' +
      'Use an empty database; under npm start remove the folder DATA_DIR (.data by default).',
  })
}

async function runMigrations(client: pg.Client, dir: string, log: (message: string) => void): Promise<void> {
  // Loaded here: services read the folder of migrations and run none.
  const { runner } = await import('node-pg-migrate')
  await runner({
    dbClient: client,
    dir,
    direction: 'up',
    migrationsTable: 'pgmigrations',
    singleTransaction: true,
    noLock: true,
    logger: { info: log, warn: log, error: log, debug: () => {} },
  })
}

async function withLockPatience(work: () => Promise<void>, log: (message: string) => void): Promise<void> {
  const end = performance.now() + LOCK_PATIENCE_MS
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!LOCKED.has(sqlStateOf(error) ?? '') || performance.now() >= end) throw error
      log('another session holds a lock that the migration needs: trying again')
      await delay(LOCK_PAUSE_MS)
    }
  }
}

async function ensureWindow(client: pg.Client): Promise<void> {
  await client.query(
    `SELECT ensure_event_partitions(now_ms - 90 * 86400000::bigint, now_ms + 14 * 86400000::bigint),
            ensure_delivery_partitions(now_ms - 35 * 86400000::bigint, now_ms + 14 * 86400000::bigint)
       FROM (SELECT (extract(epoch FROM now()) * 1000)::bigint AS now_ms) AS clock`,
  )
}
