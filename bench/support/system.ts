import type { LocalStack } from '@ariftly/local-stack'
import type { ServiceProcess } from '@ariftly/testkit'
import { API_KEY, startBenchStack } from './bench-stack.ts'

/** The five services as processes of their own, on a stack of their own. */
export interface BenchSystem {
  readonly ingest: string
  readonly api: string
  readonly gateway: string
  readonly databaseUrl: string
  readonly apiKey: string
  readonly services: ReadonlyMap<ServiceName, ServiceProcess>
  readonly stack: LocalStack
  /** Holds the data of the stack. */
  readonly dataDir: string
  close(): Promise<void>
}

const SERVICES = ['ingest', 'projector', 'api', 'stream-gateway', 'webhook-worker'] as const

/** One of the five. */
type ServiceName = (typeof SERVICES)[number]

/** Starts everything from the build, with more settings if given; build first. */
export async function startBenchSystem(env: Readonly<Record<string, string>> = {}): Promise<BenchSystem> {
  return await startBenchStack({ env: { LOG_LEVEL: 'warn', ...env } }, async ({ stack, dataDir, start, close }) => {
    const started = await Promise.all(SERVICES.map((service) => start(service)))
    const [ingest = '', , api = '', gateway = ''] = started.map(({ url }) => url)
    const services = new Map(started.map((service, index) => [SERVICES[index] as ServiceName, service] as const))
    const { postgres: databaseUrl } = stack.addresses
    return { ingest, api, gateway, databaseUrl, apiKey: API_KEY, services, stack, dataDir, close }
  })
}
