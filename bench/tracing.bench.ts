import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { ServiceProcess } from '@ariftly/testkit'
import type { LoadOrder, LoadResult } from './ingest/http-load.ts'
import { pin, startWorker, type Worker } from './ingest/worker.ts'
import { API_KEY, startBenchStack } from './support/bench-stack.ts'
import { cpuSecondsOf } from './support/process-usage.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const ROUNDS = bySize({ full: 4, smallest: 1 })
const ROUND_MS = bySize({ full: 3000, smallest: 500 })
const WARM_UP_MS = bySize({ full: 2500, smallest: 200 })
/** What is measured has one processor, the load, Kafka and the collector the other. */
const CPU = { measured: 0, others: 1 } as const
const LOADS = { single: { events: 1, connections: 256 }, batch: { events: 1000, connections: 8 } } as const

/** Settings of ingest, by the share of requests that is sampled. */
const SHARES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  off: { OTEL_EXPORTER_OTLP_ENDPOINT: '' },
  percent: { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' },
  all: { OTEL_TRACES_SAMPLER: 'parentbased_always_on', OTEL_BSP_MAX_QUEUE_SIZE: '100000' },
}

/**
 * Cost of traces for ingest: three processes, without traces, with one request in a hundred sampled, and with all, one after
 * another in each round, with single events and with batches of 1,000. A collector discards their spans.
 */
export const tracing: Bench = async (say) => {
  const collector = await startSink()
  try {
    return await startBenchStack({ parts: ['kafka', 'postgres'] }, async ({ stack, start, close }) => {
      const load = await startWorker(join(import.meta.dirname, 'ingest/http-load.ts'), CPU.others)
      try {
        pin(stack.kafka?.pid ?? 0, CPU.others)
        const systems = new Map<string, ServiceProcess>()
        for (const [share, env] of Object.entries(SHARES)) {
          const ingest = await start('ingest', { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env })
          pin(ingest.pid, CPU.measured)
          systems.set(share, ingest)
        }
        await measure(load, [...systems], WARM_UP_MS)
        const rounds: (readonly Measurement[])[] = []
        for (let round = 1; round <= ROUNDS; round += 1) {
          // None of them is always the first.
          const order = round % 2 === 0 ? [...systems].toReversed() : [...systems]
          const measured = await measure(load, order, ROUND_MS)
          rounds.push(measured)
          say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`)
        }
        return medians(rounds)
      } finally {
        await load.close()
        await close()
      }
    })
  } finally {
    collector.close()
  }
}

async function measure(
  load: Worker,
  systems: readonly (readonly [string, ServiceProcess])[],
  ms: number,
): Promise<readonly Measurement[]> {
  const measured: Measurement[] = []
  for (const [kind, how] of Object.entries(LOADS)) {
    const cpuUs: Record<string, number> = {}
    for (const [share, ingest] of systems) {
      const cost = await post(load, ingest, { ...how, ms })
      cpuUs[share] = cost.cpuUs
      measured.push({ name: `${kind}_cpu_us_${share}`, value: cost.cpuUs, unit: 'us/request' })
      measured.push({ name: `${kind}_per_s_${share}`, value: cost.requestsPerS, unit: 'requests/s' })
    }
    for (const share of ['percent', 'all']) {
      measured.push({ name: `${kind}_cpu_${share}_vs_off`, value: (cpuUs[share] ?? 0) / (cpuUs['off'] ?? 0), unit: '' })
    }
  }
  const lost = await lostSpans(systems.find(([share]) => share === 'all')?.[1])
  return [...measured, { name: 'lost_spans_all', value: lost, unit: 'spans' }]
}

async function post(
  load: Worker,
  { pid, port }: ServiceProcess,
  order: Pick<LoadOrder, 'events' | 'connections' | 'ms'>,
): Promise<LoadResult & { readonly cpuUs: number }> {
  const beforeS = cpuSecondsOf([pid])
  const result = await load.ask<LoadResult>({ ...order, port, apiKey: API_KEY })
  const cpuUs = ((cpuSecondsOf([pid]) - beforeS) * 1e6) / (result.requestsPerS * (order.ms / 1000))
  if (Object.keys(result.statuses).join() !== '202') {
    throw new Error(`not all was accepted: ${JSON.stringify(result.statuses)}`)
  }
  return { ...result, cpuUs }
}

/** Spans dropped or refused since the start: they would make the cost too low. */
async function lostSpans(ingest: ServiceProcess | undefined): Promise<number> {
  const text = await (await fetch(`${ingest?.url}/metrics`)).text()
  const values = [...text.matchAll(/^ariftly_traces_spans_total\{result="(?:failed|dropped)"\} (\d+)$/gm)]
  return values.reduce((sum, [, value]) => sum + Number(value), 0)
}

/** A collector that takes all and keeps nothing. */
async function startSink(): Promise<{ readonly url: string; close(): void }> {
  const server = createServer((req, res) => {
    req.resume()
    req.on('end', () => res.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
