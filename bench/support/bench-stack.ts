import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack, type LocalStack, type PartName, type StackTls } from '@ariftly/local-stack'
import { startServiceProcess, type ServiceProcess, type ServiceProcessName } from '@ariftly/testkit'

/** Services as processes of their own, on a stack of their own that flushes to disk as in production. */
export interface BenchStack {
  readonly stack: LocalStack
  /** Holds the data of its parts, each in a folder of its name. */
  readonly dataDir: string
  /** Environment of all services: the stack's addresses, one encryption key, and the given settings. */
  readonly env: Readonly<Record<string, string>>
  /** Starts a service from the build, with more settings if given, and resolves when it is ready. It ends with the stack. */
  readonly start: (name: ServiceProcessName, env?: Readonly<Record<string, string>>) => Promise<ServiceProcess>
  /** The same, and resolves when the process runs. */
  readonly spawn: (name: ServiceProcessName) => Promise<ServiceProcess>
  readonly close: () => Promise<void>
}

/** Of tenant `default`, with all scopes. */
export const API_KEY = 'bench-key-0123456789abcdef'

/** Starts and migrates it, and hands it to `furnish`; if that fails, all is closed. Build first. */
export async function startBenchStack<H>(
  o: {
    readonly parts?: readonly PartName[]
    readonly tls?: StackTls
    readonly env?: Readonly<Record<string, string>>
  },
  furnish: (bench: BenchStack) => Promise<H>,
): Promise<H> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-bench-'))
  const { env: _env, ...wanted } = o
  const stack = await startStack({ dataDir, ...wanted })
  const processes: ServiceProcess[] = []
  const { kafka, postgres, redis } = stack.addresses
  const env = {
    KAFKA_BROKERS: kafka,
    DATABASE_URL: postgres,
    DATABASE_ADMIN_URL: postgres,
    REDIS_URL: redis,
    ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
    ARIFTLY_BOOTSTRAP_KEY: API_KEY,
    ...o.env,
  }

  async function start(name: ServiceProcessName, more: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const service = await startServiceProcess(name, { ...env, ...more }, { timeoutMs: 60_000 })
    processes.push(service)
    return service
  }

  async function spawn(name: ServiceProcessName): Promise<ServiceProcess> {
    const service = await startServiceProcess(name, env, { untilReady: false })
    processes.push(service)
    return service
  }

  async function close(): Promise<void> {
    for (const service of processes) service.kill('SIGTERM')
    await Promise.all(processes.map((service) => service.exited))
    await stack.close()
    rmSync(dataDir, { recursive: true, force: true })
  }

  try {
    const migrate = await startServiceProcess('migrate', env, { untilReady: false })
    if ((await migrate.exited) !== 0) throw new Error(`migrate failed:\n${migrate.output()}`)
    return await furnish({ stack, dataDir, env, start, spawn, close })
  } catch (error) {
    await close()
    throw error
  }
}
