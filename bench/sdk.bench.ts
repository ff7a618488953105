import { join } from 'node:path'
import { startWorker, type Worker } from './ingest/worker.ts'
import type { ClientOrder, ClientResult } from './sdk/client.ts'
import type { SinkState } from './sdk/sink.ts'
import { startPythonWorker, type PythonResult, type PythonWorker } from './sdk/python-worker.ts'
import { API_KEY, startBenchStack } from './support/bench-stack.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const ROUNDS = bySize({ full: 3, smallest: 1 })
const EVENTS = bySize({ full: 100_000, smallest: 2_000 })
const WARM_UP_EVENTS = bySize({ full: 20_000, smallest: 500 })

/**
 * The SDK in one process. Against one ingest: events a second compared with a loop that posts 1,000 events at a time, and
 * processor time an event. Against a sink that answers immediately: processor time an event compared with the batchers of PostHog
 * and Segment, with the same payloads and batch size. The Python SDK in the same way, beside a loop over httpx2 and PostHog's client for Python.
 */
export const sdk: Bench = async (say) =>
  await startBenchStack({ parts: ['kafka', 'postgres'] }, async ({ start, close }) => {
    const workers: { close(): Promise<void> }[] = []
    async function worker(name: string): Promise<Worker> {
      const started = await startWorker(join(import.meta.dirname, 'sdk', name))
      workers.push(started)
      return started
    }

    async function pythonWorker(): Promise<PythonWorker> {
      const started = await startPythonWorker()
      workers.push(started)
      return started
    }

    try {
      const ingest = await start('ingest')
      const sink = await worker('sink.ts')
      const clients = { sdk: await worker('client.ts'), loop: await worker('client.ts') }
      const peers = { posthog: await worker('client.ts'), segment: await worker('client.ts') }
      const python = { sdk: await pythonWorker(), loop: await pythonWorker(), posthog: await pythonWorker() }
      const run: Run = { ingestUrl: ingest.url, sink, clients: { ...clients, ...peers }, python }
      await measure(run, WARM_UP_EVENTS)
      await measurePython(run, WARM_UP_EVENTS)
      const rounds: (readonly Measurement[])[] = []
      for (let round = 1; round <= ROUNDS; round += 1) {
        const measured = [...(await measure(run, EVENTS)), ...(await measurePython(run, EVENTS))]
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
  readonly python: Readonly<Record<PythonClient, PythonWorker>>
}

type PythonClient = Exclude<ClientOrder['client'], 'segment'>

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

async function measurePython(run: Run, events: number): Promise<readonly Measurement[]> {
  const atIngest = async (client: PythonClient) =>
    await run.python[client].ask({ client, url: run.ingestUrl, events, apiKey: API_KEY })
  const bySdk = await atIngest('sdk')
  const byLoop = await atIngest('loop')
  const own = await sendByPython(run, 'sdk', events)
  // The second 100,000 events of the same process: what is not given back adds up.
  const again = await sendByPython(run, 'sdk', events)
  const posthog = await sendByPython(run, 'posthog', events)
  return [
    { name: 'python_events_per_s', value: events / bySdk.seconds, unit: 'events/s' },
    { name: 'python_loop_events_per_s', value: events / byLoop.seconds, unit: 'events/s' },
    { name: 'python_vs_loop', value: byLoop.seconds / bySdk.seconds, unit: '' },
    { name: 'python_cpu_us_per_event', value: (own.cpuSeconds * 1e6) / events, unit: 'us/event' },
    { name: 'python_posthog_cpu_us_per_event', value: (posthog.cpuSeconds * 1e6) / events, unit: 'us/event' },
    { name: 'python_vs_posthog', value: posthog.cpuSeconds / own.cpuSeconds, unit: '' },
    { name: 'python_grown_mb', value: own.grownMb + again.grownMb, unit: 'MiB' },
  ]
}

async function sendByPython(run: Run, client: PythonClient, events: number): Promise<PythonResult> {
  return await countAtSink(run, client, events, async (url) => {
    return await run.python[client].ask({ client, url, events, apiKey: API_KEY })
  })
}

async function sendToSink(run: Run, client: ClientOrder['client'], events: number): Promise<ClientResult> {
  return await countAtSink(run, client, events, async (url) => await send(run, { client, url, events }))
}

/** Sends to the sink, and throws unless all events have reached it. */
async function countAtSink<R>(run: Run, client: string, events: number, act: (url: string) => Promise<R>): Promise<R> {
  const before = await run.sink.ask<SinkState>({})
  const result = await act(before.url)
  const after = await run.sink.ask<SinkState>({})
  if (after.events - before.events !== events) {
    throw new Error(`${client}: ${after.events - before.events} of ${events} events reached the sink`)
  }
  return result
}

async function send(run: Run, order: Omit<ClientOrder, 'apiKey'>): Promise<ClientResult> {
  return await run.clients[order.client].ask<ClientResult>({ ...order, apiKey: API_KEY })
}
