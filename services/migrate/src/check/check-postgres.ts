import { hasFaultCode, messageOf, type ClientTls } from '@ariftly/runtime'
import { refuseSharedSessions, SERVICE_ROLE } from '@ariftly/store'
import pg from 'pg'
import { unreachable, type Finding } from './finding.ts'

interface PostgresCheck {
  /** The URL of the services. */
  readonly url: string
  /** The URL of the owner, who migrates. */
  readonly adminUrl: string
  readonly tls?: ClientTls
}

/** `transaction_timeout` exists since this version. */
const VERSION_MIN = 17
/** The services of the smallest installation with two pods of each. */
const CONNECTIONS_MIN = 120

interface ServerRow {
  readonly version: number
  readonly version_text: string
  readonly standby: boolean
  readonly connections_max: number
  readonly role_exists: boolean
  readonly may_create_role: boolean
  readonly pid: number
}

/** Checks version, rights and settings of Postgres, with both URLs. */
export async function checkPostgres(o: PostgresCheck): Promise<readonly Finding[]> {
  const owner = await withClient(o.adminUrl, o, 'DATABASE_ADMIN_URL', checkOwner)
  if (owner.some(({ severity }) => severity === 'error') || o.url === o.adminUrl) return owner
  const service = await withClient(o.url, o, 'DATABASE_URL', (one) =>
    withClient(o.url, o, 'DATABASE_URL', (other) => checkService(one, other)),
  )
  return [...owner, ...service]
}

async function withClient(
  url: string,
  { tls }: PostgresCheck,
  setting: string,
  check: (client: pg.Client) => Promise<readonly Finding[]>,
): Promise<readonly Finding[]> {
  const client = new pg.Client({
    connectionString: url,
    ssl: tls ?? false,
    application_name: 'ariftly-migrate-check',
    connectionTimeoutMillis: 5_000,
    query_timeout: 10_000,
  })
  // A connection that breaks later fails the query that uses it.
  client.on('error', () => {})
  try {
    await client.connect()
    return await check(client)
  } catch (error) {
    return [unreachable('postgres', messageOf(error), `${setting}, DATABASE_TLS… and pg_hba.conf`)]
  } finally {
    await client.end().catch(() => {})
  }
}

async function checkOwner(client: pg.Client): Promise<readonly Finding[]> {
  const { rows } = await client.query<ServerRow>(
    `SELECT current_setting('server_version_num')::int / 10000 AS version, current_setting('server_version') AS version_text,
       pg_is_in_recovery() AS standby, current_setting('max_connections')::int AS connections_max, pg_backend_pid() AS pid,
       EXISTS (SELECT FROM pg_roles WHERE rolname = $1) AS role_exists,
       (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) AS may_create_role`,
    [SERVICE_ROLE],
  )
  const [row] = rows
  return row === undefined ? [] : findingsOf(row)
}

function findingsOf(row: ServerRow): readonly Finding[] {
  const findings: Finding[] = []
  const add = (severity: Finding['severity'], message: string, remedy: string) =>
    findings.push({ backend: 'postgres', severity, message, remedy })
  if (row.version < VERSION_MIN) {
    add('error', `PostgreSQL is ${row.version_text}.`, `Upgrade to PostgreSQL ${VERSION_MIN} or newer.`)
  }
  if (row.standby) add('error', 'The server is a read-only standby.', 'Point DATABASE_ADMIN_URL at the primary.')
  if (!row.role_exists && !row.may_create_role) {
    const sql = `CREATE ROLE ${SERVICE_ROLE} LOGIN; GRANT ${SERVICE_ROLE} TO <owner>`
    add('error', `The role ${SERVICE_ROLE} does not exist, and the owner may not create it.`, `As a superuser: ${sql}.`)
  }
  if (row.connections_max < CONNECTIONS_MIN) {
    add(
      'warning',
      `max_connections is ${row.connections_max}.`,
      `Raise it to the sum of all pools (docs/kubernetes.md), at least ${CONNECTIONS_MIN}.`,
    )
  }
  return findings
}

/** The services' sessions switch to their role and set timeouts; a pooler in transaction mode forgets both. */
async function checkService(one: pg.Client, other: pg.Client): Promise<readonly Finding[]> {
  try {
    await one.query(`SET ROLE ${SERVICE_ROLE}`)
    await one.query(`SET transaction_timeout = '15s'`)
  } catch (error) {
    const remedy = `GRANT ${SERVICE_ROLE} TO the user of DATABASE_URL, or run migrate first.`
    return [{ backend: 'postgres', severity: 'error', message: `${messageOf(error)}.`, remedy }]
  }
  try {
    await refuseSharedSessions(one, other)
    return []
  } catch (error) {
    if (!hasFaultCode(error, 'postgres_sessions_shared')) throw error
    const message = 'Sessions are shared between transactions: role and timeouts are lost.'
    const remedy = 'Use a connection pooler in session mode, or none.'
    return [{ backend: 'postgres', severity: 'error', message, remedy }]
  }
}
