import { join } from 'node:path'
import { createTestTls, type ServiceProcess } from '@ariftly/testkit'
import type { LoadOrder, LoadResult } from './ingest/http-load.ts'
import { pin, startWorker, type Worker } from './ingest/worker.ts'
import { API_KEY, startBenchStack } from './support/bench-stack.ts'
import { cpuSecondsOf } from './support/process-usage.ts'
import { bySize } from './support/size.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'

const ROUNDS = bySize({ full: 5, smallest: 1 })
const ROUND_MS = bySize({ full: 4000, smallest: 500 })
const LOADS = {
  batch: { events: 1000, connections: 8 },
  single: { events: 1, connections: 256 },
} as const

/**
 * Cost of TLS and a login: ingest on a stack without TLS, and on one with TLS only, alternating, with the same load. Reports the
 * rates, which depend on the machine's other load, and the processor time of ingest and broker for an event.
 */
export const tls: Bench = async (say) => {
  const test = createTestTls()
  const parts = ['kafka', 'postgres'] as const
  const load = await startWorker(join(import.meta.dirname, 'ingest/http-load.ts'), 1)
  try {
    return await withSystem({ parts }, (clear) =>
      withSystem({ parts, tls: test.stack, env: test.env }, async (secured) => {
        const rounds: (readonly Measurement[])[] = []
        await measure(load, { clear, secured })
        for (let round = 1; round <= ROUNDS; round += 1) {
          const measured = await measure(load, { clear, secured })
          rounds.push(measured)
          say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`)
        }
        return medians(rounds)
      }),
    )
  } finally {
    await load.close()
    test.close()
  }
}

interface System {
  readonly ingest: ServiceProcess
  readonly kafkaPid: number
}

async function withSystem<T>(
  options: Parameters<typeof startBenchStack>[0],
  use: (system: System) => Promise<T>,
): Promise<T> {
  return await startBenchStack(options, async ({ stack, start, close }) => {
    const ingest = await start('ingest')
    const kafkaPid = stack.kafka?.pid ?? 0
    pin(ingest.pid, 0)
    pin(kafkaPid, 1)
    const result = await use({ ingest, kafkaPid })
    await close()
    return result
  })
}

async function measure(
  load: Worker,
  systems: Readonly<Record<'clear' | 'secured', System>>,
): Promise<readonly Measurement[]> {
  const measured: Measurement[] = []
  for (const [name, order] of Object.entries(LOADS)) {
    const [clear, secured] = [await post(load, systems.clear, order), await post(load, systems.secured, order)]
    measured.push(
      { name: `${name}_per_s`, value: clear.perS, unit: 'events/s' },
      { name: `${name}_tls_per_s`, value: secured.perS, unit: 'events/s' },
      { name: `${name}_ingest_cpu_us`, value: clear.ingestUs, unit: 'us/event' },
      { name: `${name}_ingest_tls_cpu_us`, value: secured.ingestUs, unit: 'us/event' },
      { name: `${name}_kafka_cpu_us`, value: clear.kafkaUs, unit: 'us/event' },
      { name: `${name}_kafka_tls_cpu_us`, value: secured.kafkaUs, unit: 'us/event' },
      { name: `${name}_ingest_cpu_tls_vs_clear`, value: secured.ingestUs / clear.ingestUs, unit: '' },
    )
  }
  return measured
}

async function post(load: Worker, system: System, order: Pick<LoadOrder, 'events' | 'connections'>) {
  const pids = [[system.ingest.pid], [system.kafkaPid]]
  const before = pids.map(cpuSecondsOf)
  const whole: LoadOrder = { ...order, port: system.ingest.port, apiKey: API_KEY, ms: ROUND_MS }
  const { requestsPerS, statuses } = await load.ask<LoadResult>(whole)
  if (Object.keys(statuses).join() !== '202') throw new Error(`not all was accepted: ${JSON.stringify(statuses)}`)
  const perS = requestsPerS * order.events
  const [ingestUs = 0, kafkaUs = 0] = pids.map(
    (each, index) => ((cpuSecondsOf(each) - (before[index] ?? 0)) * 1e6) / (perS * (ROUND_MS / 1000)),
  )
  return { perS, ingestUs, kafkaUs }
}
