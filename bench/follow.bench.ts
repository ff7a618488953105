import { join } from 'node:path'
import { DEADLINES, eventually } from '@ariftly/testkit'
import { consumerPerformance } from './follow/consumer-performance.ts'
import type { ReadRate } from './follow/kafkajs-reader.ts'
import { startWorker } from './ingest/worker.ts'
import { createFeed, type Feed } from './streams/feed.ts'
import { CPU, startStreamSystem, type StreamSystem } from './streams/system.ts'
import { streamRequest } from './streams/workload.ts'
import { cpuSecondsOf } from './support/process-usage.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const EVENTS = bySize({ full: 2_000_000, smallest: 20_000 })
/** Events of the streams' tenant, which match none of the streams. */
const OWN_EVENTS = bySize({ full: 500_000, smallest: 10_000 })
const STREAMS = bySize({ full: 1000, smallest: 50 })
const BATCH = 2000
/** With the attributes, a record of about 300 bytes. */
const TEXT_BYTES = 40
const ROUNDS = bySize({ full: 3, smallest: 1 })

/**
 * How fast one gateway on one processor follows a log of which its streams want nothing: 2,000,000 events of another tenant, with
 * 1,000 open streams, then 500,000 of the tenant that has the streams. The gateway is stopped while they are written.
 * Kafka's own consumer performance tool and a kafkajs consumer that does nothing read the same topic on the same processor.
 */
export const follow: Bench = async (say) => {
  const system = await startStreamSystem()
  const [other, own] = ['other', 'default'].map((tenant) => createFeed({ ...system, tenant, textBytes: TEXT_BYTES }))
  const clients = await startWorker(join(import.meta.dirname, 'streams/clients.ts'), CPU.others)
  try {
    const requests = Array.from({ length: STREAMS }, (_, n) =>
      streamRequest(`/v1/events/stream?task_id=wanted_${n}`, system.apiKey),
    )
    await clients.ask({ do: 'open', port: system.gateway.port, count: STREAMS, requests })
    const unwanted = await followed(system, other, EVENTS)
    say(`${Math.round(unwanted.perS)} events a second of another tenant, ${unwanted.cpuUs.toFixed(2)} us each`)
    const sameTenant = await followed(system, own, OWN_EVENTS)
    say(`${Math.round(sameTenant.perS)} events a second of the streams' tenant, ${sameTenant.cpuUs.toFixed(2)} us each`)
    system.gateway.kill('SIGSTOP')
    const peers = await readByPeers(system, say)
    system.gateway.kill('SIGCONT')
    const peer = (name: string) => peers.find((each) => each.name === name)?.value ?? Number.NaN
    return [
      { name: 'followed_per_s', value: unwanted.perS, unit: 'events/s' },
      { name: 'cpu_us_per_unwanted_event', value: unwanted.cpuUs, unit: 'us' },
      { name: 'cpu_us_per_unwanted_event_same_tenant', value: sameTenant.cpuUs, unit: 'us' },
      ...peers,
      { name: 'follow_vs_consumer_performance', value: unwanted.perS / peer('consumer_performance_per_s'), unit: '' },
      { name: 'follow_vs_kafkajs', value: unwanted.perS / peer('kafkajs_per_s'), unit: '' },
    ]
  } finally {
    system.gateway.kill('SIGCONT')
    await clients.close()
    await Promise.all([other?.close(), own?.close()])
    await system.close()
  }
}

interface Followed {
  readonly perS: number
  readonly cpuUs: number
}

/** Writes events while the gateway is stopped, and measures it from a twentieth of them to all of them. */
async function followed(system: StreamSystem, feed: Feed | undefined, events: number): Promise<Followed> {
  const before = await recordsRead(system)
  system.gateway.kill('SIGSTOP')
  for (let at = 0; at < events; at += BATCH) {
    await feed?.send(Array.from({ length: BATCH }, (_, n) => ({ number: at + n, taskId: `task_${(at + n) % 5000}` })))
  }
  system.gateway.kill('SIGCONT')
  const first = await reach(system, before + events / 20)
  const last = await reach(system, before + events)
  const records = last.records - first.records
  return {
    perS: records / ((last.atMs - first.atMs) / 1000),
    cpuUs: ((last.cpuS - first.cpuS) / records) * 1e6,
  }
}

interface Reached {
  readonly records: number
  readonly atMs: number
  readonly cpuS: number
}

function recordsRead({ gateway }: StreamSystem): Promise<number> {
  return gateway.metric('ariftly_stream_records_total')
}

/** Waits until the gateway has read so many records. */
async function reach(system: StreamSystem, wanted: number): Promise<Reached> {
  let reached: Reached = { records: 0, atMs: 0, cpuS: 0 }
  await eventually(
    `${wanted} records are read`,
    async () => {
      const records = await recordsRead(system)
      reached = { records, atMs: performance.now(), cpuS: cpuSecondsOf([system.gateway.pid]) }
      return records >= wanted
    },
    { timeoutMs: DEADLINES.load, everyMs: 50 },
  )
  return reached
}

async function readByPeers(system: StreamSystem, say: (line: string) => void): Promise<readonly Measurement[]> {
  const { broker, topic } = system
  const rounds: (readonly Measurement[])[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const kafkajs = await startWorker(join(import.meta.dirname, 'follow/kafkajs-reader.ts'), CPU.measured)
    const { perS } = await kafkajs.ask<ReadRate>({ broker, topic, records: EVENTS })
    await kafkajs.close()
    const tool = await consumerPerformance({ broker, topic, records: EVENTS, cpu: CPU.measured, say })
    say(`kafkajs ${Math.round(perS)}, consumer performance ${Math.round(tool)} a second`)
    rounds.push([
      { name: 'kafkajs_per_s', value: perS, unit: 'records/s' },
      { name: 'consumer_performance_per_s', value: tool, unit: 'records/s' },
    ])
  }
  return medians(rounds)
}
