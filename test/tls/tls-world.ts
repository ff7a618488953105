import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateEncryptionKey } from '@ariftly/keyring'
import { startStack, type LocalStack, type PartName } from '@ariftly/local-stack'
import {
  createTestAuthority,
  startServiceProcess,
  type ServiceProcess,
  type ServiceProcessName,
  type TestAuthority,
  type TestCertificate,
} from '@ariftly/testkit'

/** A stack that speaks TLS alone, with what services need to reach it. */
export interface TlsWorld {
  readonly stack: LocalStack
  readonly authority: TestAuthority
  /** The environment of the services; PORT is left to the caller. */
  readonly env: Readonly<Record<string, string>>
  /** The API key that `migrate` seeds, with all scopes. */
  readonly apiKey: string
  /** What nobody may ever read in any output, by what it is. */
  readonly secrets: Readonly<Record<string, string>>
  /** Writes a file beside those of the world, and gives its path. */
  file(name: string, text: string): string
  /** Gives the servers another certificate; counts for a part after its restart. */
  serveWith(certificate: TestCertificate): void
  /** Starts a service as a process, without waiting; `close` ends it. */
  start(name: ServiceProcessName, env?: Readonly<Record<string, string>>): Promise<ServiceProcess>
  /** Runs `migrate` to its end. */
  migrate(env?: Readonly<Record<string, string>>): Promise<{ readonly code: number; readonly output: string }>
  /** Runs a command line tool as operators do, from what is built. */
  run(
    tool: 'projector' | 'webhook-worker',
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<{ readonly code: number; readonly output: string }>
  close(): Promise<void>
}

/** What a world asks of its clients besides the password. */
export interface TlsWorldOptions {
  readonly parts?: readonly PartName[]
  /** Every client must show a certificate of the world's authority. */
  readonly mutual?: boolean
  readonly kafkaLoginMs?: number
}

const USER = 'agent'

/** Starts the stack; nothing is migrated yet. */
export async function startTlsWorld(options: TlsWorldOptions = {}): Promise<TlsWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'ariftly-tls-'))
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text, { mode: 0o600 })
    return join(folder, name)
  }
  const authority = createTestAuthority()
  const serveWith = ({ cert, key }: TestCertificate) => {
    file('server.pem', cert)
    file('server-key.pem', key)
  }
  serveWith(authority.issue())
  const ca = file('ca.pem', authority.cert)
  // Characters that mean something in a URL.
  const passwords = { kafka: secret('kf'), postgres: secret('p@:/%25g'), redis: secret('r@:/d') }
  const stack = await startStack({
    dataDir: mkdtempSync(join(tmpdir(), 'ariftly-test-')),
    ephemeral: true,
    env: pick(process.env, ['PATH', 'HOME', 'JAVA_HOME', 'XDG_CACHE_HOME']),
    onExit: (_name, detail) => process.stderr.write(`${detail}\n`),
    ...(options.parts === undefined ? {} : { parts: options.parts }),
    tls: {
      certFile: join(folder, 'server.pem'),
      keyFile: join(folder, 'server-key.pem'),
      ...(options.mutual === true ? { clientCaFile: ca } : {}),
      user: USER,
      passwords,
      ...(options.kafkaLoginMs === undefined ? {} : { kafkaLoginMs: options.kafkaLoginMs }),
    },
  })
  const apiKey = secret('key_')
  const encryptionKey = generateEncryptionKey('tls')
  const env = {
    KAFKA_BROKERS: stack.addresses.kafka,
    KAFKA_TLS: 'true',
    KAFKA_TLS_CA_FILE: ca,
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USER: USER,
    KAFKA_SASL_PASSWORD_FILE: file('kafka-password', `${passwords.kafka}\n`),
    KAFKA_SESSION_TIMEOUT_MS: '4000',
    DATABASE_URL_FILE: file('database-url', stack.addresses.postgres),
    DATABASE_TLS: 'true',
    DATABASE_TLS_CA_FILE: ca,
    REDIS_URL_FILE: file('redis-url', stack.addresses.redis),
    REDIS_TLS_CA_FILE: ca,
    ENCRYPTION_KEYS_FILE: file('encryption-keys', encryptionKey),
    ARIFTLY_BOOTSTRAP_KEY_FILE: file('bootstrap-key', apiKey),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'debug',
    WEBHOOK_ALLOW_HTTP: 'true',
    FAREWELL_MS: '0',
  }
  const processes: ServiceProcess[] = []

  async function start(name: ServiceProcessName, more: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const service = await startServiceProcess(name, { ...env, ...more }, { untilReady: false })
    processes.push(service)
    return service
  }

  async function migrate(more: Readonly<Record<string, string>> = {}) {
    const service = await start('migrate', more)
    return { code: await service.exited, output: service.output() }
  }

  async function close(): Promise<void> {
    for (const service of processes) service.kill()
    await Promise.all(processes.map(({ exited }) => exited))
    await stack.close()
    rmSync(folder, { recursive: true, force: true })
  }

  return {
    stack,
    authority,
    env,
    apiKey,
    secrets: {
      'SASL password': passwords.kafka,
      'database password': passwords.postgres,
      'database password in a URL': encodeURIComponent(passwords.postgres),
      'Redis password': passwords.redis,
      'Redis password in a URL': encodeURIComponent(passwords.redis),
      'API key': apiKey,
      'encryption key': encryptionKey.slice(encryptionKey.indexOf(':') + 1),
    },
    file,
    serveWith,
    start,
    migrate,
    run: (tool, args, more = {}) => runTool(tool, args, { ...env, ...more, PATH: process.env['PATH'] ?? '' }),
    close,
  }
}

function secret(prefix: string): string {
  return `${prefix}${randomBytes(18).toString('base64url')}`
}

function pick(env: NodeJS.ProcessEnv, names: readonly string[]): NodeJS.ProcessEnv {
  return Object.fromEntries(names.map((name) => [name, env[name]]))
}

function runTool(
  tool: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly output: string }> {
  const main = join(import.meta.dirname, '../../services', tool, 'dist/cli.js')
  return new Promise((resolve) => {
    execFile(process.execPath, [main, ...args], { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code ?? -1), output: stdout + stderr })
    })
  })
}
