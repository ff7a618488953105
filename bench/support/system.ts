import { API_KEY, startBenchStack } from './bench-stack.ts'

/** The five services as processes of their own, on a stack of their own. */
export interface BenchSystem {
  readonly ingest: string
  readonly api: string
  readonly gateway: string
  readonly databaseUrl: string
  readonly apiKey: string
  close(): Promise<void>
}

const SERVICES = ['ingest', 'projector', 'api', 'stream-gateway', 'webhook-worker'] as const

/** Starts everything from the build; build first. */
export async function startBenchSystem(): Promise<BenchSystem> {
  return await startBenchStack({ env: { LOG_LEVEL: 'warn' } }, async ({ stack, start, close }) => {
    const services = await Promise.all(SERVICES.map((service) => start(service)))
    const [ingest = '', , api = '', gateway = ''] = services.map(({ url }) => url)
    return { ingest, api, gateway, databaseUrl: stack.addresses.postgres, apiKey: API_KEY, close }
  })
}
