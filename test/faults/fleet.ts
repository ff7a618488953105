import { startServiceProcess, type ServiceProcess } from '@ariftly/testkit'

/** The five services. */
type ServiceName = 'ingest' | 'projector' | 'api' | 'stream-gateway' | 'webhook-worker'

/** One process of a service, which keeps its name and its address over its lives. */
export interface Replica {
  readonly service: ServiceName
  readonly name: string
  readonly url: string
  pid(): number
  alive(): boolean
  signal(name: NodeJS.Signals): void
  /** Ends it with SIGKILL and resolves when it is gone. */
  kill(): Promise<void>
  /** Starts it again on the same port and resolves when `/readyz` is 200. */
  restart(): Promise<void>
  stop(): Promise<void>
  /** What the process wrote, over all its lives. */
  output(): string
}

/** A busy machine starts seven processes slowly. */
const READY_MS = 60_000

const REPLICAS: readonly (readonly [ServiceName, string])[] = [
  ['ingest', 'ingest'],
  ['projector', 'projector-1'],
  ['projector', 'projector-2'],
  ['api', 'api'],
  ['stream-gateway', 'gateway-1'],
  ['stream-gateway', 'gateway-2'],
  ['webhook-worker', 'webhook-worker'],
]

/** Starts seven processes: each of the five services, projector and gateway twice. */
export async function startFleet(env: Readonly<Record<string, string>>): Promise<readonly Replica[]> {
  const started = await Promise.allSettled(REPLICAS.map(([service, name]) => startReplica(service, name, env)))
  const replicas = started.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = started.find((result) => result.status === 'rejected')
  if (failed === undefined) return replicas
  await Promise.all(replicas.map((replica) => replica.stop()))
  throw failed.reason
}

/** Starts one process, with an environment of its own. */
export async function startReplica(
  service: ServiceName,
  name: string,
  env: Readonly<Record<string, string>>,
): Promise<Replica> {
  let current: ServiceProcess = await startServiceProcess(service, env, { timeoutMs: READY_MS })
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
      await current.exited
    },
    async restart() {
      earlier.push(current.output())
      current = await startServiceProcess(service, env, { port: current.port, timeoutMs: READY_MS })
      alive = true
    },
    async stop() {
      if (!alive) return
      current.kill('SIGTERM')
      await current.exited
      alive = false
    },
    output: () => [...earlier, current.output()].join('\n'),
  }
}
