import type { SecureContext } from 'node:tls'
import pg from 'pg'
import { GONE_CLIENT, prepareSession } from './session.ts'
import { toStoreFault } from './store-fault.ts'
import { typeParsers } from './type-parsers.ts'

/** The role of all services: may insert and select events, not update or delete them. Made by the first migration. */
export const SERVICE_ROLE = 'ariftly_app'

/** A pool of connections to Postgres. */
export type Pool = pg.Pool

/** TLS with Postgres: its certificate must be valid and name the host of the URL (`verify-full`). */
export interface DatabaseTls {
  /** Asked for at each connect. */
  readonly secureContext: SecureContext
}

/** Where Postgres is, how many connections, and the settings of each session. */
export interface PoolOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  /** No TLS if absent: the URL and the environment (`PGSSLMODE`) are ignored. */
  readonly tls?: DatabaseTls
  /** Shows in `pg_stat_activity`. */
  readonly applicationName: string
  /** Connections at most; further queries wait up to `connectTimeoutMs` for one. */
  readonly max: number
  /** Role that every session takes: `SERVICE_ROLE` for services, also when the URL is the owner's; null keeps the URL's user. */
  readonly role: string | null
  /** A statement is cancelled after this. Default 10,000. */
  readonly statementTimeoutMs?: number
  /** A transaction is ended after this, so that a stalled twin cannot hold its locks. Default 15,000. */
  readonly transactionTimeoutMs?: number
  /** A query fails without a connection after this. Default 2,000. */
  readonly connectTimeoutMs?: number
  /** Further settings of each session, by name. */
  readonly settings?: Readonly<Record<string, string>>
  /** Called when a connection is given back unharmed: the server has answered on it. */
  readonly onAnswer?: (() => void) | undefined
  /** Called when an idle connection is lost; queries report their own failures. Default: nothing. */
  readonly onError?: (error: Error) => void
}

/**
 * Makes a pool; nothing connects before the first query. While Postgres is unavailable a query fails within `connectTimeoutMs`
 * (immediately when the port is closed), and the next one connects again: a lost server never ends the process. With a silent
 * server a query fails two seconds after its `statementTimeoutMs`. Close it with `end()`.
 */
export function createPool(o: PoolOptions): Pool {
  const { connectionString, urlOptions } = splitUrlOptions(o.url)
  const statementTimeoutMs = o.statementTimeoutMs ?? 10_000
  const settings = sessionSettings(o, statementTimeoutMs)
  // pg-pool waits for the promise, although its type does not say so.
  const hooks = { onConnect: (client: pg.ClientBase) => prepareSession(client, settings, o.role) }
  const pool = new pg.Pool({
    Client: StoreClient,
    connectionString,
    ssl: o.tls ?? false,
    ...(urlOptions === '' ? {} : { options: urlOptions }),
    ...hooks,
    application_name: o.applicationName,
    max: o.max,
    types: typeParsers,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    connectionTimeoutMillis: o.connectTimeoutMs ?? 2_000,
    query_timeout: statementTimeoutMs + 2_000,
    idleTimeoutMillis: 30_000,
    maxLifetimeSeconds: LIFETIME_S,
  })
  const onError = o.onError ?? ignore
  pool.on('error', onError)
  pool.on('release', (error) => {
    if (!error) o.onAnswer?.()
  })
  // A connection lost while checked out fails its user's query; without a listener it would also end the process.
  pool.on('connect', (client) => client.on('error', ignore))
  return throwStoreFaults(pool)
}

function ignore(): void {}

/** A client whose promised queries reject with a {@link StoreFault}. */
class StoreClient extends pg.Client {
  constructor(config?: pg.ClientConfig) {
    super(config)
    this.query = faulty(this.query.bind(this) as AnyQuery) as typeof this.query
  }
}

/** The pool, whose promised connects and queries reject with a {@link StoreFault}; its internal calls with callbacks do not. */
function throwStoreFaults(pool: pg.Pool): pg.Pool {
  pool.query = faulty(pool.query.bind(pool) as AnyQuery) as typeof pool.query
  pool.connect = faulty(pool.connect.bind(pool) as AnyQuery) as typeof pool.connect
  return pool
}

type AnyQuery = (...args: unknown[]) => unknown

function faulty(call: AnyQuery): AnyQuery {
  return function callOrFault(...args) {
    const result = call(...args)
    return result instanceof Promise ? result.catch(throwFault) : result
  }
}

function throwFault(error: unknown): never {
  throw toStoreFault(error)
}

/** A connection is replaced after this, so that a pool finds a new primary behind the same name. */
const LIFETIME_S = 300

function sessionSettings(o: PoolOptions, statementTimeoutMs: number): Readonly<Record<string, string>> {
  return {
    statement_timeout: String(statementTimeoutMs),
    transaction_timeout: String(o.transactionTimeoutMs ?? 15_000),
    // Above what `migrate` waits for a lock.
    lock_timeout: '5000',
    ...GONE_CLIENT,
    ...o.settings,
  }
}

/** pg prefers the URL's `options` parameter to ours: it is removed, and set together with ours. */
function splitUrlOptions(url: string): { connectionString: string; urlOptions: string } {
  const parsed = new URL(url)
  const urlOptions = parsed.searchParams.get('options') ?? ''
  parsed.searchParams.delete('options')
  return { connectionString: parsed.href, urlOptions }
}
