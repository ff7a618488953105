import { startServiceProcess, type ServiceProcess } from '@ariftly/testkit'

/** The five services. */
export const SERVICES = ['ingest', 'projector', 'api', 'stream-gateway', 'webhook-worker'] as const

/** One of them. */
export type ServiceName = (typeof SERVICES)[number]

/** Short, so that a killed process is missed for seconds; the ring holds less than a run, so that history is read too. */
export const SHORT_TIMES = {
  KAFKA_SESSION_TIMEOUT_MS: '4000',
  WEBHOOK_TIMEOUT_MS: '4000',
  WEBHOOK_WORKER_DEAD_MS: '4000',
  WEBHOOK_RETRY_SCHEDULE_S: '1,1,1,2,2,2,5,5,5,5,5,5',
  WEBHOOK_PROBE_MS: '500',
  RING_BYTES_MAX: String(8 * 1024 * 1024),
}

/** One process of a service, which keeps its name and its address over its lives. */
export interface Replica {
  readonly service: ServiceName
  readonly name: string
  readonly url: string
  pid(): number
  alive(): boolean
  signal(name: NodeJS.Signals): void
  /** Ends it with SIGKILL; resolves with the exit code when it has ended. */
  kill(): Promise<number>
  /** Starts it again on the same port and resolves when `/readyz` is 200. */
  restart(): Promise<void>
  /** Ends it with SIGTERM; resolves with the exit code when it has ended. */
  stop(): Promise<number>
  /** What the process wrote, over all its lives. */
  output(): string
}

/** A busy machine starts many processes slowly. */
const READY_MS = 60_000

/** Starts so many processes of each service; they are named `ingest-1` and so on. If one does not start, none is left. */
export async function startFleet(
  env: Readonly<Record<string, string>>,
  counts: Readonly<Record<ServiceName, number>>,
  root?: string,
): Promise<readonly Replica[]> {
  const wanted = SERVICES.flatMap((service) => Array.from({ length: counts[service] }, () => service))
  const started = await Promise.allSettled(
    wanted.map((service, index) =>
      startReplica(service, `${service}-${index - wanted.indexOf(service) + 1}`, env, root),
    ),
  )
  const replicas = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = started.find((result) => result.status === 'rejected')
  if (failed === undefined) return replicas
  await Promise.all(replicas.map((replica) => replica.stop()))
  throw failed.reason
}

/** Starts one process, with an environment of its own; of another checkout if `root` names one. */
export async function startReplica(
  service: ServiceName,
  name: string,
  env: Readonly<Record<string, string>>,
  root?: string,
): Promise<Replica> {
  const options = { timeoutMs: READY_MS, ...(root === undefined ? {} : { root }) }
  let current: ServiceProcess = await startServiceProcess(service, env, options)
  let alive = true
  const url = current.url
  const earlier: string[] = []

  return {
    service,
    name,
    url,
    pid: () => current.pid,
    alive: () => alive,
    signal: (signal) => current.kill(signal),
    async kill() {
      alive = false
      current.kill('SIGKILL')
      return await current.exited
    },
    async restart() {
      earlier.push(current.output())
      current = await startServiceProcess(service, env, { ...options, port: current.port })
      alive = true
    },
    async stop() {
      if (alive) current.kill('SIGTERM')
      const code = await current.exited
      alive = false
      return code
    },
    output: () => [...earlier, current.output()].join('\n'),
  }
}
