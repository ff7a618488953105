import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fetchRedisBinary, type FetchContext } from './artefacts.ts'
import { findOnPath } from './programs.ts'
import type { PartContext } from './part-context.ts'
import type { PartSpec } from './part.ts'
import { probe } from './probe.ts'
import { copyPemFiles, type StackTls } from './tls.ts'

const PING = Buffer.from('PING\r\n')

/**
 * Redis as the webhook worker needs it: nothing is ever evicted, and the append-only file brings the queue back after a restart.
 * `findRedisServer` says which program runs.
 */
export async function redisSpec(context: PartContext): Promise<PartSpec> {
  const file = await findRedisServer(context)
  const data = join(context.dir, 'data')
  if (!existsSync(data)) mkdirSync(data)
  return {
    ...context,
    name: 'redis',
    stopSignal: 'SIGTERM',
    death: { signal: 'SIGTERM', graceMs: 3000, ...context.remove },
    prepare: async (port) => ({ file, args: [writeConfiguration(context, port, data)], cwd: data }),
    probe: (port) => (context.tls === undefined ? probe({ port }, PING, pongs) : probeBySocket(context, context.tls)),
  }
}

/**
 * The program of a Redis server: from the PATH, otherwise fetched. With `REDIS_SERVER=fetched` in the environment it is always the
 * fetched one, so that tests run the same Redis on every machine.
 */
export async function findRedisServer(context: FetchContext): Promise<string> {
  if (context.env['REDIS_SERVER'] === 'fetched') return await fetchRedisBinary(context)
  const path = context.env['PATH']
  return findOnPath('redis-server', path) ?? findOnPath('valkey-server', path) ?? (await fetchRedisBinary(context))
}

/** The URL of the Redis that listens on `port`. */
export function redisUrl({ tls }: PartContext, port: number): string {
  return tls === undefined
    ? `redis://127.0.0.1:${port}`
    : `rediss://${tls.user}:${encodeURIComponent(tls.passwords.redis)}@127.0.0.1:${port}`
}

/** A file, not arguments: all users can see the arguments of all processes, passwords too. */
function writeConfiguration(context: PartContext, port: number, dir: string): string {
  const values: Readonly<Record<string, string>> = {
    port: String(port),
    bind: '127.0.0.1',
    dir,
    save: '',
    appendonly: 'yes',
    'maxmemory-policy': 'noeviction',
    daemonize: 'no',
    ...(context.tls === undefined ? {} : tlsSettings(context, context.tls, port)),
  }
  const file = join(context.dir, 'redis.conf')
  const lines = Object.entries(values).map(([name, value]) => `${name} ${JSON.stringify(value)}\n`)
  const users = context.tls === undefined ? '' : aclUsers(context.tls)
  writeFileSync(file, lines.join('') + users, { mode: 0o600 })
  return file
}

function tlsSettings(context: PartContext, tls: StackTls, port: number): Readonly<Record<string, string>> {
  const { cert, key } = copyPemFiles(tls, context.dir)
  return {
    port: '0',
    'tls-port': String(port),
    'tls-cert-file': cert,
    'tls-key-file': key,
    'tls-ca-cert-file': tls.clientCaFile ?? cert, // Redis wants one, also when it asks for none.
    'tls-auth-clients': tls.clientCaFile === undefined ? 'no' : 'yes',
    unixsocket: socketFile(context), // For the probe.
    unixsocketperm: '700',
  }
}

function aclUsers({ user, passwords }: StackTls): string {
  return `user default off\nuser ${user} on >${passwords.redis} ~* &* +@all\n`
}

function socketFile({ dir }: PartContext): string {
  return join(dir, 'socket')
}

function probeBySocket(context: PartContext, { user, passwords }: StackTls): Promise<boolean> {
  const question = Buffer.from(`AUTH ${user} ${passwords.redis}\r\nPING\r\n`)
  return probe({ path: socketFile(context) }, question, (answer) =>
    answer.toString('latin1').split('\n').length < 3 ? undefined : pongs(answer.subarray(answer.indexOf('\n') + 1)),
  )
}

function pongs(answer: Buffer): boolean | undefined {
  if (!answer.includes('\n')) return undefined
  return answer.toString('latin1').startsWith('+PONG') // `-LOADING …` while it reads its file.
}
