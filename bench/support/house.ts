import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '@ariftly/local-stack'
import { startServiceProcess, type ServiceProcess } from '@ariftly/testkit'

/** The five services as processes of their own, on a stack of their own that flushes to disk as in production. */
export interface BenchHouse {
  readonly ingest: string
  readonly api: string
  readonly gateway: string
  readonly databaseUrl: string
  readonly apiKey: string
  close(): Promise<void>
}

const SERVICES = ['ingest', 'projector', 'api', 'stream-gateway', 'webhook-worker'] as const
const API_KEY = 'bench-key-0123456789abcdef'

/** Starts everything from what is built; build first. */
export async function startBenchHouse(): Promise<BenchHouse> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-bench-'))
  const stack = await startStack({ dataDir })
  const processes: ServiceProcess[] = []

  async function close(): Promise<void> {
    for (const process of processes) process.kill('SIGTERM')
    await Promise.all(processes.map((process) => process.exited))
    await stack.close()
    rmSync(dataDir, { recursive: true, force: true })
  }

  try {
    const env = {
      KAFKA_BROKERS: stack.addresses.kafka,
      DATABASE_URL: stack.addresses.postgres,
      DATABASE_ADMIN_URL: stack.addresses.postgres,
      REDIS_URL: stack.addresses.redis,
      ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
      ARIFTLY_BOOTSTRAP_KEY: API_KEY,
      LOG_LEVEL: 'warn',
    }
    const migrate = await startServiceProcess('migrate', env, { untilReady: false })
    if ((await migrate.exited) !== 0) throw new Error(`migrate failed:\n${migrate.output()}`)
    processes.push(...(await Promise.all(SERVICES.map((service) => startServiceProcess(service, env)))))
    const [ingest = '', , api = '', gateway = ''] = processes.map(({ url }) => url)
    return { ingest, api, gateway, databaseUrl: stack.addresses.postgres, apiKey: API_KEY, close }
  } catch (error) {
    await close()
    throw error
  }
}
