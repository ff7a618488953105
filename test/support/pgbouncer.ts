import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort, startSupervised } from '@ariftly/local-stack'
import { eventually, testFolder } from '@ariftly/testkit'
import pg from 'pg'
import { findProgram } from './find-program.ts'

/** A PgBouncer that runs. */
export interface PgBouncer {
  /** The URL of a database, through the pooler and as the owner. */
  readonly urlOf: (adminUrl: string) => string
  close(): Promise<void>
}

/** Starts a real PgBouncer before a Postgres that trusts its clients. It ends with the test process at the latest. */
export async function startPgBouncer(
  adminUrl: string,
  o: { readonly poolMode: 'session' | 'transaction'; readonly poolSize: number },
): Promise<PgBouncer> {
  const file = findProgram('pgbouncer')
  const { hostname, port: serverPort, username } = new URL(adminUrl)
  const port = await findFreePort()
  const folder = testFolder('pgbouncer')
  const config = join(folder, 'pgbouncer.ini')
  const log = join(folder, 'log')
  const lines = [
    '[databases]',
    `* = host=${hostname} port=${serverPort} user=${username}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${o.poolMode}`,
    `default_pool_size = ${o.poolSize}`,
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  // It refuses to run as root, and its other user must read its settings.
  chmodSync(folder, 0o755)
  const user = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const { pid, exited } = await startSupervised(
    { file, args: [...user, config] },
    { signal: 'SIGKILL', graceMs: 0 },
    log,
  )

  function urlOf(url: string): string {
    const { username: name, pathname } = new URL(url)
    return `postgres://${name}@127.0.0.1:${port}${pathname}`
  }

  async function isAnswering(): Promise<boolean> {
    const client = new pg.Client({ connectionString: urlOf(adminUrl) })
    client.on('error', () => {})
    await client.connect()
    await client.query('SELECT 1')
    await client.end()
    return true
  }

  await eventually('PgBouncer answers', isAnswering).catch((cause: unknown) => {
    throw new Error(`PgBouncer does not answer. Its log:\n${readFileSync(log, 'utf8')}`, { cause })
  })
  return {
    urlOf,
    async close() {
      process.kill(pid, 'SIGKILL')
      await exited
    },
  }
}
