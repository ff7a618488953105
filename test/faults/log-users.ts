import { startServiceProcess, type ServiceProcess } from '@ariftly/testkit'
import { SERVICES, startFleet, type FleetEnv, type ServiceName } from './fleet.ts'

/** The services that read or write the log, with the prefix of their metrics. */
export const LOG_USERS = {
  ingest: 'ariftly_ingest',
  projector: 'ariftly_projector',
  'stream-gateway': 'ariftly_stream_gateway',
  'webhook-worker': 'ariftly_webhook_matcher',
} as const satisfies Partial<Record<ServiceName, string>>

/** The whole product as processes. */
export interface Installation {
  /** Where each service is. */
  readonly urls: Readonly<Record<ServiceName, string>>
  stop(): Promise<void>
}

/** How an installation runs: a process for each service, or one for all. */
export type StartInstallation = (env: Readonly<Record<string, string>>) => Promise<Installation>

/** Starts one process of each service. */
export async function startProcesses(env: FleetEnv): Promise<Installation> {
  const replicas = await startFleet(env, { ingest: 1, projector: 1, api: 1, 'stream-gateway': 1, 'webhook-worker': 1 })
  const urls = Object.fromEntries(replicas.map(({ service, url }) => [service, url])) as Installation['urls']
  return { urls, stop: async () => void (await Promise.all(replicas.map((replica) => replica.stop()))) }
}

/** Starts all services in one process. */
export async function startOneProcess(env: Readonly<Record<string, string>>): Promise<Installation> {
  const service: ServiceProcess = await startServiceProcess('standalone', env, { timeoutMs: 60_000 })
  const urls = Object.fromEntries(SERVICES.map((name) => [name, service.url])) as Installation['urls']
  return {
    urls,
    async stop() {
      service.kill('SIGTERM')
      await service.exited
    },
  }
}

/** What a service says of its log: whether it is ready, the body of `/readyz`, and its metric. */
export interface LogState {
  readonly ready: boolean
  readonly body: string
  /** The value of `<service>_log_fault{code="log_identity_changed"}`. */
  readonly fault: number | undefined
}

/** Asks a service what it says of its log. */
export async function logStateOf(installation: Installation, service: keyof typeof LOG_USERS): Promise<LogState> {
  const url = installation.urls[service]
  const [ready, metrics] = await Promise.all([fetch(`${url}/readyz`), fetch(`${url}/metrics`)])
  const value = new RegExp(`^${LOG_USERS[service]}_log_fault\\{code="log_identity_changed"\\} (\\d)`, 'm').exec(
    await metrics.text(),
  )?.[1]
  return { ready: ready.ok, body: await ready.text(), fault: value === undefined ? undefined : Number(value) }
}
