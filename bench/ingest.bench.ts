import { join } from 'node:path'
import { measureFlood } from './ingest/flood.ts'
import { startIngestSystem, type IngestSystem } from './ingest/system.ts'
import type { FloorOrder } from './ingest/kafkajs-floor.ts'
import type { PeerOrder } from './ingest/http-peers.ts'
import type { LoadOrder, LoadResult } from './ingest/http-load.ts'
import { findProducerPerformance, type ProducerPerformance } from './ingest/producer-performance.ts'
import { pin, startWorker, type Worker } from './ingest/worker.ts'
import { recordBytes } from './ingest/workload.ts'
import { cpuSecondsOf } from './support/process-usage.ts'
import { measurement, medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const ROUNDS = bySize({ full: 3, smallest: 1 })
const ROUND_MS = bySize({ full: 5000, smallest: 500 })
const TENANT = 'default'
const BATCH = { events: 1000, connections: 8 } as const
const SINGLE = { events: 1, connections: 256 } as const
/** The measured process has one processor, its load and Kafka the other; the same for all. */
const CPU = { measured: 0, others: 1 } as const

/** What `--only` names. */
const PARTS = ['batches', 'singles', 'flood'] as const
type Part = (typeof PARTS)[number]
/** Single posts, and Kafka under them, get faster for some ten seconds, while V8 and Java compile; the peers do not write to Kafka and get as long. */
const WARM_UP_MS: Readonly<Record<Part, number>> = { batches: 2500, singles: 10_000, flood: 2500 }
const MEASURE: Readonly<Record<Part, (run: Run, ms: number) => Promise<readonly Measurement[]>>> = {
  batches: measureBatches,
  singles: measureSingles,
  flood: measureFlood,
}

/**
 * Ingest against its peers, one after another in each round, with the same events of 300 bytes. Batches of 1,000: against
 * bare kafkajs at its best batch size with the same records and headers, and against Kafka's ProducerPerformance with
 * records of the same number of bytes; all with acks=all. Single events: against an echo on bare `node:http`, and against
 * express with `express.json()` that writes nothing. Last: what a tenant far above its quota does to another one's p99.
 */
export const ingest: Bench = async (say, { only } = {}) => {
  const parts = only === undefined ? PARTS : PARTS.filter((part) => part === only)
  if (parts.length === 0) throw new Error(`the parts are ${PARTS.join(', ')}`)
  const system = await startIngestSystem()
  const workers: Worker[] = []

  async function worker(name: string, cpu: number): Promise<Worker> {
    const started = await startWorker(join(import.meta.dirname, 'ingest', name), cpu)
    workers.push(started)
    return started
  }

  try {
    pin(system.kafka.pid, CPU.others)
    pin(system.ingest.pid, CPU.measured)
    const peers = {
      system,
      load: await worker('http-load.ts', CPU.others),
      flood: await worker('http-load.ts', CPU.others),
      kafkajs: await worker('kafkajs-floor.ts', CPU.measured),
      java: await findProducerPerformance(say, CPU.measured),
      bare: await servePeer(await worker('http-peers.ts', CPU.measured), 'bare'),
      express: await servePeer(await worker('http-peers.ts', CPU.measured), 'express'),
    }
    const floor = parts.includes('batches') ? await bestFloor(peers.kafkajs, system, say) : undefined
    const run: Run = { ...peers, floor }
    for (const part of parts) await MEASURE[part](run, WARM_UP_MS[part])
    const rounds: (readonly Measurement[])[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      const measured = await measure(run, parts, ROUND_MS)
      rounds.push(measured)
      say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`)
    }
    return medians(rounds)
  } finally {
    await Promise.all(workers.map((each) => each.close()))
    await system.close()
  }
}

interface Run {
  readonly system: IngestSystem
  readonly load: Worker
  readonly flood: Worker
  readonly kafkajs: Worker
  readonly java: ProducerPerformance
  readonly bare: Peer
  readonly express: Peer
  /** Undefined if batches are not measured. */
  readonly floor: Floor | undefined
}

type Floor = Pick<FloorOrder, 'batch' | 'inFlight'>

interface Peer {
  readonly pid: number
  readonly port: number
}

async function servePeer(worker: Worker, peer: PeerOrder['peer']): Promise<Peer> {
  const order: PeerOrder = { peer }
  const { port } = await worker.ask<{ port: number }>(order)
  return { pid: worker.pid, port }
}

/** The batch size and number of sends in flight with which bare kafkajs is fastest here. */
async function bestFloor(kafkajs: Worker, system: IngestSystem, say: (line: string) => void): Promise<Floor> {
  const choices = [500, 1000, 2000, 5000].flatMap((batch) => [1, 2, 4].map((inFlight) => ({ batch, inFlight })))
  await sendPlain(kafkajs, system, { batch: 1000, inFlight: 2, ms: WARM_UP_MS.batches })
  const tried: { choice: Floor; perS: number }[] = []
  for (const choice of choices) tried.push({ choice, perS: await sendPlain(kafkajs, system, { ...choice, ms: 1500 }) })
  const [best] = tried.toSorted((a, b) => b.perS - a.perS)
  if (best === undefined) throw new Error('no batch size was tried')
  say(`bare kafkajs is fastest with ${JSON.stringify(best.choice)}`)
  return best.choice
}

async function sendPlain(kafkajs: Worker, system: IngestSystem, o: Floor & { readonly ms: number }): Promise<number> {
  const order: FloorOrder = { ...o, broker: system.kafka.address, topic: system.topic, tenant: TENANT }
  return (await kafkajs.ask<{ perS: number }>(order)).perS
}

async function measure(run: Run, parts: readonly Part[], ms: number): Promise<readonly Measurement[]> {
  const measured: Measurement[] = []
  for (const part of parts) measured.push(...(await MEASURE[part](run, ms)))
  return measured
}

async function measureBatches(run: Run, ms: number): Promise<readonly Measurement[]> {
  const { system, floor } = run
  const batches = await post(run, { ...BATCH, port: system.ingest.port, ms }, [system.ingest.pid])
  const batchPerS = batches.requestsPerS * BATCH.events
  if (floor === undefined) throw new Error('the peer was not tried')
  const kafkajsPerS = await sendPlain(run.kafkajs, system, { ...floor, ms })
  const records = { bytes: recordBytes(TENANT), records: ms * JAVA_RECORDS_PER_MS }
  const javaPerS = await run.java.run({ ...records, broker: system.kafka.address, topic: system.topic })
  return [
    measurement('batch_per_s', batchPerS, 'events/s'),
    measurement('batch_p99_ms', batches.p99Ms, 'ms'),
    measurement('batch_cpu_us', batches.cpuUs / BATCH.events, 'us/event'),
    measurement('kafkajs_floor_per_s', kafkajsPerS, 'records/s'),
    measurement('producer_performance_per_s', javaPerS, 'records/s'),
    measurement('batch_vs_kafkajs_floor', batchPerS / kafkajsPerS, ''),
    measurement('batch_vs_producer_performance', batchPerS / javaPerS, ''),
  ]
}

async function measureSingles(run: Run, ms: number): Promise<readonly Measurement[]> {
  const { system, bare, express } = run
  const single = await post(run, { ...SINGLE, port: system.ingest.port, ms }, [system.ingest.pid])
  const bareHttp = await post(run, { ...SINGLE, port: bare.port, ms }, [bare.pid])
  const expressJson = await post(run, { ...SINGLE, port: express.port, ms }, [express.pid])
  return [
    measurement('single_per_s', single.requestsPerS, 'requests/s'),
    measurement('single_p99_ms', single.p99Ms, 'ms'),
    measurement('single_cpu_us', single.cpuUs, 'us/request'),
    measurement('bare_http_per_s', bareHttp.requestsPerS, 'requests/s'),
    measurement('bare_http_cpu_us', bareHttp.cpuUs, 'us/request'),
    measurement('express_json_per_s', expressJson.requestsPerS, 'requests/s'),
    measurement('express_json_cpu_us', expressJson.cpuUs, 'us/request'),
    measurement('single_vs_bare_http', single.requestsPerS / bareHttp.requestsPerS, ''),
    measurement('single_vs_express_json', single.requestsPerS / expressJson.requestsPerS, ''),
  ]
}

/** About what the tool sends in a millisecond, so that it runs as long as the others. */
const JAVA_RECORDS_PER_MS = 150

/** Posts at full speed; `pids` are the server's, for the processor time that a request takes there. */
async function post(
  run: Run,
  order: Omit<LoadOrder, 'apiKey'>,
  pids: readonly number[],
): Promise<LoadResult & { readonly cpuUs: number }> {
  const beforeS = cpuSecondsOf(pids)
  const result = await run.load.ask<LoadResult>({ ...order, apiKey: run.system.apiKey })
  const cpuUs = ((cpuSecondsOf(pids) - beforeS) * 1e6) / (result.requestsPerS * (order.ms / 1000))
  const other = Object.keys(result.statuses).filter((status) => status !== '200' && status !== '202')
  if (other.length > 0) throw new Error(`not all was accepted: ${JSON.stringify(result.statuses)}`)
  return { ...result, cpuUs }
}
