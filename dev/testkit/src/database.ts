import { randomBytes } from 'node:crypto'
import { createPool, migrate, type Pool } from '@ariftly/store'
import pg from 'pg'
import { stackAddresses } from './addresses.ts'

const TEMPLATE = 'ariftly_template'
const APPLICATION_ROLE = 'ariftly_app'

/** A database of a test's own, migrated, with the roles of production. */
export interface TestDatabase {
  /** For DATABASE_URL: sessions have the rights of `ariftly_app`. */
  readonly url: string
  /** For DATABASE_ADMIN_URL: the owner. */
  readonly adminUrl: string
  /** Opens a pool, which `drop` ends. */
  openPool(o?: TestPoolOptions): Pool
  /** Ends all its sessions and drops it. */
  drop(): Promise<void>
}

/** How a test talks to its database. */
export interface TestPoolOptions {
  /** With the owner's rights; default: the services' rights. */
  readonly owner?: boolean
  /** Connections at most; default 4. */
  readonly max?: number
  /** Shows in `pg_stat_activity`; default `test`. */
  readonly applicationName?: string
  /** Further settings of each session, by name. */
  readonly settings?: Readonly<Record<string, string>>
}

/** Makes and migrates the database that `createTestDatabase` clones; once for a stack. */
export async function createTemplateDatabase(ownerUrl: string): Promise<void> {
  await execute(ownerUrl, `CREATE DATABASE ${TEMPLATE}`)
  await migrate(withDatabase(ownerUrl, TEMPLATE))
}

/**
 * Clones the migrated database. A test calls `drop` at its end; others are removed with the stack.
 * @param ownerUrl the owner's URL of another stack than the shared one; `createTemplateDatabase` must have run there.
 */
export async function createTestDatabase(ownerUrl = stackAddresses().postgres): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`
  await execute(ownerUrl, `CREATE DATABASE ${name} TEMPLATE ${TEMPLATE} STRATEGY FILE_COPY`)
  const adminUrl = withDatabase(ownerUrl, name)
  const url = withRole(adminUrl, APPLICATION_ROLE)
  const pools: Pool[] = []

  function openPool({ owner = false, max = 4, applicationName = 'test', settings = {} }: TestPoolOptions = {}): Pool {
    const pool = createPool({ role: null, url: owner ? adminUrl : url, applicationName, max, settings })
    pools.push(pool)
    return pool
  }

  async function drop(): Promise<void> {
    await Promise.all(pools.splice(0).map((pool) => pool.end()))
    await execute(ownerUrl, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  }

  return { url, adminUrl, openPool, drop }
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}

function withRole(url: string, role: string): string {
  const changed = new URL(url)
  changed.searchParams.set('options', `-c role=${role}`)
  return changed.href
}
