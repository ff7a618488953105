import { join } from 'node:path'
import { startIngestHouse, type IngestHouse } from './ingest/house.ts'
import type { FloorOrder } from './ingest/kafkajs-floor.ts'
import type { LoadOrder, LoadResult } from './ingest/http-load.ts'
import { findProducerPerformance, type ProducerPerformance } from './ingest/producer-performance.ts'
import { pin, startWorker, type Worker } from './ingest/worker.ts'
import { recordBytes } from './ingest/workload.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'

const ROUNDS = 3
const ROUND_MS = 5000
const WARM_UP_MS = 2500
const TENANT = 'default'
const BATCH = { events: 1000, connections: 8 } as const
const SINGLE = { events: 1, connections: 64 } as const
/** What is measured has one processor, whatever feeds it or takes from it (load, Kafka) the other; the same for all. */
const CPU = { measured: 0, others: 1 } as const

/**
 * Ingest against its peers, one after the other in each round, with the same events of 300 bytes. Batches of 1,000: against
 * bare kafkajs at its best batch size with the same records and headers, and against Kafka's ProducerPerformance with
 * records of the same number of bytes; all with acks=all. Single events: against an echo on bare `node:http`, and against
 * express with `express.json()` that writes nothing.
 */
export const ingest: Bench = async (say) => {
  const house = await startIngestHouse()
  const workers: Worker[] = []

  async function worker(name: string, cpu: number): Promise<Worker> {
    const started = await startWorker(join(import.meta.dirname, 'ingest', name), cpu)
    workers.push(started)
    return started
  }

  try {
    pin(house.kafka.pid, CPU.others)
    pin(house.ingest.pid, CPU.measured)
    const peers = {
      house,
      load: await worker('http-load.ts', CPU.others),
      kafkajs: await worker('kafkajs-floor.ts', CPU.measured),
      java: await findProducerPerformance(say, CPU.measured),
      barePort: await peerPort(await worker('http-peers.ts', CPU.measured), 'bare'),
      expressPort: await peerPort(await worker('http-peers.ts', CPU.measured), 'express'),
    }
    const run: Run = { ...peers, floor: await bestFloor(peers.kafkajs, house, say) }
    await measure(run, WARM_UP_MS)
    const rounds: (readonly Measurement[])[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      const measured = await measure(run, ROUND_MS)
      rounds.push(measured)
      say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`)
    }
    return medians(rounds)
  } finally {
    await Promise.all(workers.map((each) => each.close()))
    await house.close()
  }
}

interface Run {
  readonly house: IngestHouse
  readonly load: Worker
  readonly kafkajs: Worker
  readonly java: ProducerPerformance
  readonly barePort: number
  readonly expressPort: number
  readonly floor: Pick<FloorOrder, 'batch' | 'inFlight'>
}

async function peerPort(worker: Worker, peer: 'bare' | 'express'): Promise<number> {
  return (await worker.ask<{ port: number }>({ peer })).port
}

/** The batch size and number of sends in flight with which bare kafkajs is fastest here. */
async function bestFloor(kafkajs: Worker, house: IngestHouse, say: (line: string) => void): Promise<Run['floor']> {
  const choices = [500, 1000, 2000, 5000].flatMap((batch) => [1, 2, 4].map((inFlight) => ({ batch, inFlight })))
  await sendPlain(kafkajs, house, { batch: 1000, inFlight: 2, ms: WARM_UP_MS })
  const tried: { choice: Run['floor']; perS: number }[] = []
  for (const choice of choices) tried.push({ choice, perS: await sendPlain(kafkajs, house, { ...choice, ms: 1500 }) })
  const [best] = tried.toSorted((a, b) => b.perS - a.perS)
  if (best === undefined) throw new Error('no batch size was tried')
  say(`bare kafkajs is fastest with ${JSON.stringify(best.choice)}`)
  return best.choice
}

async function sendPlain(
  kafkajs: Worker,
  house: IngestHouse,
  o: Run['floor'] & { readonly ms: number },
): Promise<number> {
  const order: FloorOrder = { ...o, broker: house.kafka.address, topic: house.topic, tenant: TENANT }
  return (await kafkajs.ask<{ perS: number }>(order)).perS
}

async function measure(run: Run, ms: number): Promise<readonly Measurement[]> {
  const { house, floor } = run
  const { ingest: service } = house
  const batches = await post(run, { ...BATCH, port: service.port, ms })
  const batchPerS = batches.requestsPerS * BATCH.events
  const kafkajsPerS = await sendPlain(run.kafkajs, house, { ...floor, ms })
  const bytes = recordBytes(TENANT)
  const { address: broker } = house.kafka
  const javaPerS = await run.java.run({ broker, topic: house.topic, bytes, records: ms * JAVA_RECORDS_PER_MS })
  const single = await post(run, { ...SINGLE, port: service.port, ms })
  const bare = await post(run, { ...SINGLE, port: run.barePort, ms })
  const express = await post(run, { ...SINGLE, port: run.expressPort, ms })
  const perS = (name: string, value: number, unit: string): Measurement => ({ name, value, unit })
  return [
    perS('batch_per_s', batchPerS, 'events/s'),
    perS('batch_p99_ms', batches.p99Ms, 'ms'),
    perS('kafkajs_floor_per_s', kafkajsPerS, 'records/s'),
    perS('producer_performance_per_s', javaPerS, 'records/s'),
    perS('single_per_s', single.requestsPerS, 'requests/s'),
    perS('single_p99_ms', single.p99Ms, 'ms'),
    perS('bare_http_per_s', bare.requestsPerS, 'requests/s'),
    perS('express_json_per_s', express.requestsPerS, 'requests/s'),
    perS('batch_vs_kafkajs_floor', batchPerS / kafkajsPerS, ''),
    perS('batch_vs_producer_performance', batchPerS / javaPerS, ''),
    perS('single_vs_bare_http', single.requestsPerS / bare.requestsPerS, ''),
    perS('single_vs_express_json', single.requestsPerS / express.requestsPerS, ''),
  ]
}

/** About what the tool sends in a millisecond, so that it runs as long as the others. */
const JAVA_RECORDS_PER_MS = 150

async function post(run: Run, order: Omit<LoadOrder, 'apiKey'>): Promise<LoadResult> {
  const result = await run.load.ask<LoadResult>({ ...order, apiKey: run.house.apiKey })
  const other = Object.keys(result.statuses).filter((status) => status !== '200' && status !== '202')
  if (other.length > 0) throw new Error(`not all was accepted: ${JSON.stringify(result.statuses)}`)
  return result
}
