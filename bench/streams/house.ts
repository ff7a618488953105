import type { ServiceProcess } from '@ariftly/testkit'
import { pin } from '../ingest/worker.ts'
import { API_KEY, startBenchStack } from '../support/bench-stack.ts'

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
  readonly counts: { readonly records: number; readonly delivered: number; readonly writes: number }
}

/** What is measured has one processor, all else the other; the same for the peers. */
export const CPU = { measured: 0, others: 1 } as const

const TOPIC = 'ariftly.events.v1'

/** Starts it from what is built; build first. */
export async function startStreamHouse(
  o: { readonly withIngest?: boolean; readonly env?: Readonly<Record<string, string>> } = {},
): Promise<StreamHouse> {
  const env = { LOG_LEVEL: 'warn', DRAIN_MS: '0', ...o.env }
  return await startBenchStack({ parts: ['kafka', 'postgres'], env }, async ({ stack, start, close }) => {
    const gateway = await start('stream-gateway')
    const ingest = o.withIngest === true ? await start('ingest') : undefined
    pin(gateway.pid, CPU.measured)
    for (const pid of [stack.kafka?.pid, stack.postgres?.pid, ingest?.pid]) if (pid !== undefined) pin(pid, CPU.others)

    async function debug(): Promise<GatewayNumbers> {
      return (await (await fetch(`${gateway.url}/debug/streams`)).json()) as GatewayNumbers
    }

    return { gateway, ingest, broker: stack.addresses.kafka, topic: TOPIC, apiKey: API_KEY, debug, close }
  })
}
