import type { SecureContext } from 'node:tls'
import pg from 'pg'
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

export interface PoolOptions {
  /** `postgres://user:password@host:port/database`. */
  readonly url: string
  /** None if not given: whatever the URL or the environment may say (`PGSSLMODE`). */
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
  /** A statement gives up waiting for a lock after this. Default 5,000. */
  readonly lockTimeoutMs?: number
  /** Fails a query when no connection can be had for so long. Default 2,000. */
  readonly connectTimeoutMs?: number
  /** Further settings of each session, by name. */
  readonly settings?: Readonly<Record<string, string>>
  /** Told of idle connections that were lost; queries fail by themselves. Default: nothing. */
  readonly onError?: (error: Error) => void
}

/**
 * Makes a pool; nothing connects before the first query. When Postgres is away a query fails within `connectTimeoutMs`
 * (at once when the port is closed), and the next one tries again: a lost server never ends the process. A server that
 * says nothing fails a query two seconds after its `statementTimeoutMs`. Close it with `end()`.
 */
export function createPool(o: PoolOptions): Pool {
  const { connectionString, urlOptions } = splitUrlOptions(o.url)
  const statementTimeoutMs = o.statementTimeoutMs ?? 10_000
  const pool = new pg.Pool({
    connectionString,
    ssl: o.tls ?? false,
    options: [urlOptions, ...sessionSettings(o, statementTimeoutMs)].join(' ').trim(),
    application_name: o.applicationName,
    max: o.max,
    types: typeParsers,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    connectionTimeoutMillis: o.connectTimeoutMs ?? 2_000,
    query_timeout: statementTimeoutMs + 2_000,
    idleTimeoutMillis: 30_000,
  })
  const onError = o.onError ?? ignore
  pool.on('error', onError)
  // A connection that is lost while it is checked out tells its user by a failed query; without a listener it would also
  // end the process.
  pool.on('connect', (client) => client.on('error', ignore))
  return pool
}

function ignore(): void {}

/** Settings as `-c name=value`; spaces and backslashes of values are escaped as libpq's `options` wants it. */
function sessionSettings(o: PoolOptions, statementTimeoutMs: number): string[] {
  const settings: Record<string, string> = {
    ...(o.role === null ? {} : { role: o.role }),
    statement_timeout: String(statementTimeoutMs),
    transaction_timeout: String(o.transactionTimeoutMs ?? 15_000),
    lock_timeout: String(o.lockTimeoutMs ?? 5_000),
    tcp_keepalives_idle: '5',
    tcp_keepalives_interval: '2',
    tcp_keepalives_count: '3',
    tcp_user_timeout: '15000',
    client_connection_check_interval: '5000',
    ...o.settings,
  }
  return Object.entries(settings).map(([name, value]) => `-c ${name}=${value.replace(/[\\ ]/g, '\\$&')}`)
}

/** pg lets the URL's own `options` parameter win over ours: it is taken out, to be set beside ours. */
function splitUrlOptions(url: string): { connectionString: string; urlOptions: string } {
  const parsed = new URL(url)
  const urlOptions = parsed.searchParams.get('options') ?? ''
  parsed.searchParams.delete('options')
  return { connectionString: parsed.href, urlOptions }
}
