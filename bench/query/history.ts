import { createHash } from 'node:crypto'
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import { startStack, type LocalStack } from '@ariftly/local-stack'
import { migrate } from '@ariftly/store'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import { stackEnvironment } from '@ariftly/testkit'
import pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { makeRows, ROW_COLUMNS, ROWS_VERSION } from './rows.ts'

/** A Postgres that holds a long history. */
export interface History {
  /** Bootstrap addresses. The topic of events is not in it. */
  readonly kafka: string
  /** The owner's URL. */
  readonly databaseUrl: string
  /** Of tenant `default`. */
  readonly apiKey: string
  close(): Promise<void>
}

const API_KEY = 'bench-key-0123456789abcdef'
const KEPT_MS = 6 * 86_400_000
const SCHEMA = join(import.meta.dirname, '../../packages/store/migrations/0001_schema.sql')

/**
 * Starts Postgres with `rows` events. They are loaded once and kept in the cache folder, until they are a week old or the
 * schema or the rows have changed.
 */
export async function openHistory(rows: number, say: (line: string) => void): Promise<History> {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache')
  const dataDir = join(base, 'ariftly-events', `bench-query-${rows}`)
  const mark = join(dataDir, 'loaded')
  const version = versionOf(rows)
  if (!isFresh(mark, version)) rmSync(dataDir, { recursive: true, force: true })
  mkdirSync(dataDir, { recursive: true })
  const stack = await startStack({ dataDir, parts: ['kafka', 'postgres'], env: stackEnvironment() })
  try {
    if (existsSync(mark)) {
      say(`found ${rows} rows of an earlier run`)
      await migrate(stack.addresses.postgres) // The services may have got more tables since.
      await readThrough(join(dataDir, 'postgres', 'data', 'base'))
    } else {
      await load(stack, rows, say)
      writeFileSync(mark, version)
    }
    return { kafka: stack.addresses.kafka, databaseUrl: stack.addresses.postgres, apiKey: API_KEY, close: stack.close }
  } catch (error) {
    await stack.close()
    throw error
  }
}

/** Reads all files once into the page cache, as after a load, so that a run does not depend on it. */
async function readThrough(folder: string): Promise<void> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  for (const { parentPath, name } of files) {
    const stream = createReadStream(join(parentPath, name), { highWaterMark: 4 * 1024 * 1024 })
    await finished(stream.resume())
  }
}

function versionOf(rows: number): string {
  const hash = createHash('sha256').update(`${ROWS_VERSION} ${rows}`)
  hash.update(readFileSync(SCHEMA))
  return hash.digest('hex')
}

function isFresh(mark: string, version: string): boolean {
  return existsSync(mark) && readFileSync(mark, 'utf8') === version && statSync(mark).mtimeMs > Date.now() - KEPT_MS
}

/** COPY into the table with its primary key only; building the other indexes afterwards is much faster. */
async function load(stack: LocalStack, rows: number, say: (line: string) => void): Promise<void> {
  const startedMs = performance.now()
  const lap = (what: string): void => say(`${what} after ${Math.round((performance.now() - startedMs) / 1000)} s`)
  await migrate(stack.addresses.postgres)
  const db = new pg.Client({ connectionString: stack.addresses.postgres })
  await db.connect()
  try {
    await seedBootstrapKey(db, API_KEY)
    await db.query(`SET synchronous_commit = off; SET maintenance_work_mem = '512MB'`)
    const indexes = await db.query<{ name: string; definition: string }>(
      `SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
         FROM pg_index WHERE indrelid = 'events'::regclass AND NOT indisprimary`,
    )
    for (const { name } of indexes.rows) await db.query(`DROP INDEX ${name}`)
    await pipeline(
      Readable.from(makeRows(rows, Date.now()), { objectMode: false }),
      db.query(copyFrom(`COPY events (${ROW_COLUMNS}) FROM STDIN`)),
    )
    lap(`copied ${rows} rows`)
    for (const { definition } of indexes.rows) await db.query(definition.replace(' ON ONLY ', ' ON '))
    lap('built the indexes')
    await db.query('VACUUM (ANALYZE) events')
    await db.query('CHECKPOINT')
    lap('vacuumed')
  } finally {
    await db.end()
  }
}
