import { Fault } from '@ariftly/fault'
import type pg from 'pg'
import { StoreFault } from './store-fault.ts'

/** The first version with `MERGE … RETURNING`, `transaction_timeout` and more that the queries use. */
const MAJOR_MIN = 17
/** read_only_sql_transaction */
const READ_ONLY = '25006'

/** By these the server ends a session whose client has gone without a word, so that its locks are released. */
export const GONE_CLIENT: Readonly<Record<string, string>> = {
  tcp_keepalives_idle: '5',
  tcp_keepalives_interval: '2',
  tcp_keepalives_count: '3',
  tcp_user_timeout: '15000',
  client_connection_check_interval: '5000',
}

/**
 * Applies the settings to a new connection and reads them back. They are set by statements and not in the start-up packet, as
 * PgBouncer does not forward its `options`. The role is last: a setting may need the owner's rights.
 * @throws Fault `postgres_too_old`; StoreFault, retryable, when the server is a standby; Fault `postgres_sessions_shared` when
 * the next statement does not have the settings.
 */
export async function prepareSession(
  client: pg.ClientBase,
  settings: Readonly<Record<string, string>>,
  role: string | null,
): Promise<void> {
  await checkServer(client)
  const wanted: readonly (readonly [name: string, value: string])[] = [
    ...Object.entries(settings),
    ...(role === null ? [] : [['role', role] as const]),
  ]
  const sets = wanted.map((_, at) => `set_config($${2 * at + 1}, $${2 * at + 2}, false) AS "${at}"`)
  const gets = wanted.map((_, at) => `current_setting($${at + 1}) AS "${at}"`)
  const set = await client.query(`SELECT pg_backend_pid(), ${sets.join(', ')}`, wanted.flat())
  const read = await client.query(
    `SELECT pg_backend_pid(), ${gets.join(', ')}`,
    wanted.map(([name]) => name),
  )
  if (JSON.stringify(set.rows) !== JSON.stringify(read.rows)) throw sharedSessions()
}

/**
 * Refuses a server without features that the queries use, and a standby: with its old rows a revoked key would keep working.
 * @throws Fault `postgres_too_old`; StoreFault, retryable, for a standby.
 */
async function checkServer(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ version: number; standby: boolean }>(
    `SELECT current_setting('server_version_num')::int AS version, pg_is_in_recovery() AS standby`,
  )
  refuseOldVersion(rows[0]?.version ?? 0)
  if (rows[0]?.standby !== true) return
  throw new StoreFault(Object.assign(new Error('The server is a read-only standby.'), { code: READ_ONLY }))
}

/** @param version as `server_version_num` has it: 170004 is 17.4. @throws Fault `postgres_too_old`. */
export function refuseOldVersion(version: number): void {
  if (version >= MAJOR_MIN * 10_000) return
  throw new Fault({
    code: 'postgres_too_old',
    message: `The server of DATABASE_URL is PostgreSQL ${Math.floor(version / 10_000)}. Version ${MAJOR_MIN} or newer is needed.`,
  })
}

/** Enough for a busy pooler, which may happen to give a client the same session twice. */
const ROUNDS = 3

/**
 * Refuses a connection pooler that gives a client another session for each transaction: role and timeouts of a session would be
 * lost, or another client's. One client holds a transaction while the other queries its session.
 * @throws Fault `postgres_sessions_shared`.
 */
export async function refuseSharedSessions(one: pg.ClientBase, other: pg.ClientBase): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    const before = await sessionOf(one)
    await other.query('BEGIN')
    try {
      const held = await sessionOf(other)
      const after = await sessionOf(one)
      if (held === before || after !== before) throw sharedSessions()
    } finally {
      await other.query('ROLLBACK')
    }
  }
}

async function sessionOf(client: pg.ClientBase): Promise<number | undefined> {
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return rows[0]?.pid
}

function sharedSessions(): Fault {
  return new Fault({
    code: 'postgres_sessions_shared',
    message:
      'There is a connection pooler in transaction mode before Postgres: role and timeouts of a session are lost. Set it to session mode (PgBouncer: pool_mode = session), or connect to Postgres itself.',
    retryable: true,
    publicMessage: 'The store cannot answer just now. Try again.',
  })
}
