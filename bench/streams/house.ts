import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startStack } from '@ariftly/local-stack'
import { startServiceProcess, type ServiceProcess } from '@ariftly/testkit'
import { pin } from '../ingest/worker.ts'

/** A gateway as a process of its own at its default settings, on Kafka and Postgres of its own. */
export interface StreamHouse {
  readonly gateway: ServiceProcess
  /** Present when it was asked for. */
  readonly ingest: ServiceProcess | undefined
  readonly broker: string
  readonly topic: string
  /** Of tenant `default`. */
  readonly apiKey: string
  /** The gateway's page of numbers. */
  debug(): Promise<GatewayNumbers>
  close(): Promise<void>
}

/** What the benchmarks read of it. */
interface GatewayNumbers {
  readonly streams: number
  readonly phases: Readonly<Record<string, number>>
  readonly counts: { readonly delivered: number; readonly writes: number }
}

/** What is measured has one processor, all else the other; the same for the peers. */
export const CPU = { measured: 0, others: 1 } as const

const API_KEY = 'bench-key-0123456789abcdef'
const TOPIC = 'ariftly.events.v1'

/** Starts it from what is built; build first. */
export async function startStreamHouse(
  o: { readonly withIngest?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<StreamHouse> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-bench-'))
  const stack = await startStack({ dataDir, parts: ['kafka', 'postgres'] })
  const processes: ServiceProcess[] = []

  async function close(): Promise<void> {
    for (const process of processes) process.kill('SIGTERM')
    await Promise.all(processes.map((process) => process.exited))
    await stack.close()
    rmSync(dataDir, { recursive: true, force: true })
  }

  async function service(name: 'ingest' | 'stream-gateway', env: Readonly<Record<string, string>>) {
    const process = await startServiceProcess(name, env, { timeoutMs: 60_000 })
    processes.push(process)
    return process
  }

  try {
    const env = {
      KAFKA_BROKERS: stack.addresses.kafka,
      KAFKA_TOPIC: TOPIC,
      DATABASE_URL: stack.addresses.postgres,
      ENCRYPTION_KEYS: `bench:${Buffer.alloc(32, 1).toString('base64')}`,
      LOG_LEVEL: 'warn',
      DRAIN_MS: '0',
      ...o.env,
    }
    const admin = {
      DATABASE_ADMIN_URL: stack.addresses.postgres,
      ARIFTLY_BOOTSTRAP_KEY: API_KEY,
      KAFKA_DLQ_TOPIC: 'ariftly.events.dlq.v1',
    }
    const migrate = await startServiceProcess('migrate', { ...env, ...admin }, { untilReady: false })
    if ((await migrate.exited) !== 0) throw new Error(`migrate failed:\n${migrate.output()}`)
    const gateway = await service('stream-gateway', env)
    const ingest = o.withIngest === true ? await service('ingest', env) : undefined
    pin(gateway.pid, CPU.measured)
    for (const pid of [stack.kafka?.pid, stack.postgres?.pid, ingest?.pid]) if (pid !== undefined) pin(pid, CPU.others)

    async function debug(): Promise<GatewayNumbers> {
      return (await (await fetch(`${gateway.url}/debug/streams`)).json()) as GatewayNumbers
    }

    return { gateway, ingest, broker: stack.addresses.kafka, topic: TOPIC, apiKey: API_KEY, debug, close }
  } catch (error) {
    await close()
    throw error
  }
}
