import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateEncryptionKey } from '@ariftly/keyring'
import { startStack, type LocalStack, type PartName } from '@ariftly/local-stack'
import {
  createTestTls,
  stackEnvironment,
  startServiceProcess,
  type ServiceProcess,
  type ServiceProcessName,
  type TestTls,
  type TestTlsOptions,
} from '@ariftly/testkit'

/** A stack that speaks TLS alone, with what services need to reach it. */
export interface TlsWorld extends Pick<TestTls, 'authority' | 'file' | 'serveWith'> {
  readonly stack: LocalStack
  /** The API key that `migrate` seeds, with all scopes. */
  readonly apiKey: string
  /** Secrets that must not be in any output, by name. */
  readonly secrets: Readonly<Record<string, string>>
  /** Starts a service as a process, without waiting; `close` ends it. */
  start(name: ServiceProcessName, env?: Readonly<Record<string, string>>): Promise<ServiceProcess>
  /** Runs `migrate` to its end. */
  migrate(env?: Readonly<Record<string, string>>): Promise<Ended>
  /** Runs a command line tool as operators do, from the build. */
  run(
    tool: 'projector' | 'webhook-worker',
    args: readonly string[],
    env?: Readonly<Record<string, string>>,
  ): Promise<Ended>
  close(): Promise<void>
}

/** Exit code and output of a process. */
interface Ended {
  readonly code: number
  readonly output: string
}

/** Starts the stack, or some of its parts, without a migration. */
export async function startTlsWorld(
  options: TestTlsOptions & { readonly parts?: readonly PartName[] } = {},
): Promise<TlsWorld> {
  const tls = createTestTls(options)
  const stack = await startStack({
    dataDir: mkdtempSync(join(tmpdir(), 'ariftly-test-')),
    ephemeral: true,
    env: stackEnvironment(),
    onExit: (_name, detail) => process.stderr.write(`${detail}\n`),
    ...(options.parts === undefined ? {} : { parts: options.parts }),
    tls: tls.stack,
  })
  const { kafka, postgres, redis } = stack.addresses
  const apiKey = `key_${randomBytes(18).toString('base64url')}`
  const encryptionKey = generateEncryptionKey('tls')
  const env = {
    ...tls.env,
    KAFKA_BROKERS: kafka,
    KAFKA_SESSION_TIMEOUT_MS: '4000',
    DATABASE_URL_FILE: tls.file('database-url', postgres),
    REDIS_URL_FILE: tls.file('redis-url', redis),
    ENCRYPTION_KEYS_FILE: tls.file('encryption-keys', encryptionKey),
    ARIFTLY_BOOTSTRAP_KEY_FILE: tls.file('bootstrap-key', apiKey),
    HOST: '127.0.0.1',
    LOG_LEVEL: 'debug',
    WEBHOOK_ALLOW_HTTP: 'true',
    SHUTDOWN_DELAY_MS: '0',
  }
  const processes: ServiceProcess[] = []

  async function start(name: ServiceProcessName, more: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const service = await startServiceProcess(name, { ...env, ...more }, { untilReady: false })
    processes.push(service)
    return service
  }

  async function migrate(more: Readonly<Record<string, string>> = {}): Promise<Ended> {
    const service = await start('migrate', more)
    return { code: await service.exited, output: service.output() }
  }

  async function close(): Promise<void> {
    for (const service of processes) service.kill()
    await Promise.all(processes.map(({ exited }) => exited))
    await stack.close()
    tls.close()
  }

  return {
    stack,
    authority: tls.authority,
    file: tls.file,
    serveWith: tls.serveWith,
    apiKey,
    secrets: secretsOf(tls, { apiKey, encryptionKey }),
    start,
    migrate,
    run: (tool, args, more = {}) => runTool(tool, args, { ...env, ...more, PATH: process.env['PATH'] ?? '' }),
    close,
  }
}

function secretsOf(
  { stack: { passwords } }: TestTls,
  keys: { readonly apiKey: string; readonly encryptionKey: string },
): Readonly<Record<string, string>> {
  return {
    'SASL password': passwords.kafka,
    'database password': passwords.postgres,
    'database password in a URL': encodeURIComponent(passwords.postgres),
    'Redis password': passwords.redis,
    'Redis password in a URL': encodeURIComponent(passwords.redis),
    'API key': keys.apiKey,
    'encryption key': keys.encryptionKey.slice(keys.encryptionKey.indexOf(':') + 1),
  }
}

function runTool(tool: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ended> {
  const main = join(import.meta.dirname, '../../services', tool, 'dist/cli.js')
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [main, ...args], { env, timeout: 60_000 }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, output: out + err })
    })
  })
}
