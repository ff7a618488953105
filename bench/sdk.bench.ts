import { join } from 'node:path'
import { startWorker, type Worker } from './ingest/worker.ts'
import type { ClientOrder, ClientResult } from './sdk/client.ts'
import type { SinkState } from './sdk/sink.ts'
import { API_KEY, startBenchStack } from './support/bench-stack.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const ROUNDS = bySize({ full: 3, smallest: 1 })
const EVENTS = bySize({ full: 100_000, smallest: 2_000 })
const WARM_UP_EVENTS = bySize({ full: 20_000, smallest: 500 })

/**
 * The SDK in one process. Against one ingest: events a second compared with a loop that posts 1,000 events at a time, and
 * processor time an event. Against a sink that answers immediately: processor time an event compared with the batchers of PostHog
 * and Segment, with the same payloads and batch size.
 */
export const sdk: Bench = async (say) =>
  await startBenchStack({ parts: ['kafka', 'postgres'] }, async ({ start, close }) => {
    const workers: Worker[] = []
    async function worker(name: string): Promise<Worker> {
      const started = await startWorker(join(import.meta.dirname, 'sdk', name))
      workers.push(started)
      return started
    }

    try {
      const ingest = await start('ingest')
      const sink = await worker('sink.ts')
      const clients = { sdk: await worker('client.ts'), loop: await worker('client.ts') }
      const peers = { posthog: await worker('client.ts'), segment: await worker('client.ts') }
      const run: Run = { ingestUrl: ingest.url, sink, clients: { ...clients, ...peers } }
      await measure(run, WARM_UP_EVENTS)
      const rounds: (readonly Measurement[])[] = []
      for (let round = 1; round <= ROUNDS; round += 1) {
        const measured = await measure(run, EVENTS)
        rounds.push(measured)
        say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`)
      }
      return medians(rounds)
    } finally {
      await Promise.all(workers.map((each) => each.close()))
      await close()
    }
  })

interface Run {
  readonly ingestUrl: string
  readonly sink: Worker
  readonly clients: Readonly<Record<ClientOrder['client'], Worker>>
}

async function measure(run: Run, events: number): Promise<readonly Measurement[]> {
  const atIngest = async (client: ClientOrder['client']) => await send(run, { client, url: run.ingestUrl, events })
  const bySdk = await atIngest('sdk')
  const byLoop = await atIngest('loop')
  const own = await sendToSink(run, 'sdk', events)
  const posthog = await sendToSink(run, 'posthog', events)
  const segment = await sendToSink(run, 'segment', events)
  return [
    { name: 'events_per_s', value: events / bySdk.seconds, unit: 'events/s' },
    { name: 'loop_events_per_s', value: events / byLoop.seconds, unit: 'events/s' },
    { name: 'cpu_us_per_event', value: (bySdk.cpuSeconds * 1e6) / events, unit: 'us/event' },
    { name: 'sink_cpu_us_per_event', value: (own.cpuSeconds * 1e6) / events, unit: 'us/event' },
    { name: 'posthog_cpu_us_per_event', value: (posthog.cpuSeconds * 1e6) / events, unit: 'us/event' },
    { name: 'segment_cpu_us_per_event', value: (segment.cpuSeconds * 1e6) / events, unit: 'us/event' },
    { name: 'sdk_vs_posthog', value: posthog.cpuSeconds / own.cpuSeconds, unit: '' },
    { name: 'sdk_vs_segment', value: segment.cpuSeconds / own.cpuSeconds, unit: '' },
    { name: 'sdk_vs_loop', value: byLoop.seconds / bySdk.seconds, unit: '' },
  ]
}

async function sendToSink(run: Run, client: ClientOrder['client'], events: number): Promise<ClientResult> {
  const before = await run.sink.ask<SinkState>({})
  const result = await send(run, { client, url: before.url, events })
  const after = await run.sink.ask<SinkState>({})
  if (after.events - before.events !== events) {
    throw new Error(`${client}: ${after.events - before.events} of ${events} events reached the sink`)
  }
  return result
}

async function send(run: Run, order: Omit<ClientOrder, 'apiKey'>): Promise<ClientResult> {
  return await run.clients[order.client].ask<ClientResult>({ ...order, apiKey: API_KEY })
}
