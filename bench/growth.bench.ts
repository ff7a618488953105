import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINES, eventually } from '@ariftly/testkit'
import { startWorker } from './ingest/worker.ts'
import type { ClientsOrder, ClientsState, Waits } from './streams/clients.ts'
import { monotonicMs } from './streams/clock.ts'
import { createFeed, type Feed } from './streams/feed.ts'
import { CPU, startStreamSystem, type StreamSystem } from './streams/system.ts'
import { streamRequest } from './streams/workload.ts'
import { cpuSecondsOf } from './support/process-usage.ts'
import type { Bench, Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

/** Each size once early and once late, as the process gets faster and the machine slower with time. */
const SIZES = bySize({ full: [100, 10_000, 10_000, 100] as const, smallest: [100, 200, 200, 100] as const })
/** Written close together, so that the processor time per event is far above what the process uses anyway. */
const EVENTS = bySize({ full: 20_000, smallest: 2_000 })
const BATCH = 100
/** From the last stream that was opened: V8 then collects what opening has left, some half a minute later. */
const SETTLE_MS = bySize({ full: 45_000, smallest: 1_000 })
const STORM = bySize({
  full: { clients: 1000, behind: 10_000, live: 20 } as const,
  smallest: { clients: 20, behind: 200, live: 2 } as const,
})
const LIVE = 'ariftly_stream_subscribers{phase="live"}'
/** Records of 1 KiB that fill a ring, and the records posted each 100 ms meanwhile. */
const FULL_RING = bySize({
  full: { records: 128 * 1024, textBytes: 700, batch: 2000, load: 100 } as const,
  smallest: { records: 4_000, textBytes: 700, batch: 2000, load: 100 } as const,
})

/**
 * Cost of an event when each of 100 and of 10,000 clients follows its own task: it should not grow with the clients that do not
 * get it. Then 1,000 clients connect together, each 10,000 events behind, while 20 others are live. Then another gateway starts,
 * with a full ring of log to read, while 1,000 events a second are posted.
 */
export const growth: Bench = async (say) => {
  const system = await startStreamSystem()
  const feed = createFeed(system)
  const clients = await startWorker(join(import.meta.dirname, 'streams/clients.ts'), CPU.others)
  const live = await startWorker(join(import.meta.dirname, 'streams/clients.ts'), CPU.others)
  const run: Run = {
    system,
    feed,
    clients: (order) => clients.ask(order),
    live: (order) => live.ask(order),
  }
  try {
    await cpuPerEvent(run, { size: 100, settleMs: 0 }) // Warm-up.
    const costs: { readonly size: number; readonly us: number }[] = []
    for (const size of SIZES) {
      const us = await cpuPerEvent(run, { size, settleMs: SETTLE_MS })
      costs.push({ size, us })
      say(`${size} clients: ${us.toFixed(1)} us an event`)
    }
    const storm = await resumeStorm(run)
    const readyFullRingS = await startWithFullRing(run)
    const costOf = (size: number) => mean(costs.filter((cost) => cost.size === size))
    const [small, large] = [costOf(100), costOf(10_000)]
    return [
      { name: 'cpu_per_event_us_100', value: small, unit: 'us' },
      { name: 'cpu_per_event_us_10000', value: large, unit: 'us' },
      { name: 'growth_10000_vs_100', value: large / small, unit: '' },
      ...storm,
      { name: 'ready_full_ring_s', value: readyFullRingS, unit: 's' },
    ]
  } finally {
    await clients.close()
    await live.close()
    await feed.close()
    await system.close()
  }
}

function mean(costs: readonly { readonly us: number }[]): number {
  return costs.reduce((sum, { us }) => sum + us, 0) / costs.length
}

interface Run {
  readonly system: StreamSystem
  readonly feed: Feed
  clients(order: ClientsOrder): Promise<ClientsState>
  live<A = ClientsState>(order: ClientsOrder): Promise<A>
}

/** Microseconds of the gateway's processor time for each event, over events of all the clients' tasks in turn. */
async function cpuPerEvent(
  run: Run,
  { size, settleMs }: { readonly size: number; readonly settleMs: number },
): Promise<number> {
  const { system, feed } = run
  const requests = Array.from({ length: size }, (_, index) => {
    return streamRequest(`/v1/events/stream?task_id=task_${index}`, system.apiKey)
  })
  await run.clients({ do: 'open', port: system.gateway.port, count: size, requests })
  await sleep(settleMs)
  const before = cpuSecondsOf([system.gateway.pid])
  for (let at = 0; at < EVENTS; at += BATCH) {
    // Steps of a prime: the events of a batch are of different tasks, with any number of clients.
    const events = Array.from({ length: BATCH }, (_, index) => {
      return { number: at + index, taskId: `task_${((at + index) * 7919) % size}` }
    })
    await feed.send(events)
    await run.clients({ do: 'await', deliveries: at + BATCH, timeoutMs: DEADLINES.load })
  }
  const seconds = cpuSecondsOf([system.gateway.pid]) - before
  await run.clients({ do: 'close' })
  return (seconds / EVENTS) * 1e6
}

/** Seconds until all who resume are live, and the longest that a live client waited for an event meanwhile. */
async function resumeStorm(run: Run): Promise<readonly Measurement[]> {
  const { system, feed } = run
  const id = await idOfNow(system)
  for (let at = 0; at < STORM.behind; at += BATCH) {
    await feed.send(
      Array.from({ length: BATCH }, (_, index) => ({ number: at + index, taskId: `storm_${index % 50}` })),
    )
  }
  const watching = streamRequest('/v1/events/stream?task_id=pulse', system.apiKey)
  await run.live({ do: 'open', port: system.gateway.port, count: STORM.live, requests: [watching] })
  await run.live({ do: 'time' })
  const pulse = startPulse(feed)
  const startedMs = performance.now()
  const request = streamRequest(`/v1/events/stream?types=task.progress&last_event_id=${id}`, system.apiKey)
  await run.clients({ do: 'open', port: system.gateway.port, count: STORM.clients, requests: [request] })
  await run.clients({ do: 'await', deliveries: STORM.clients * STORM.behind, timeoutMs: DEADLINES.load })
  await eventually(
    'all streams are live',
    async () => (await system.gateway.metric(LIVE)) >= STORM.clients + STORM.live,
    {
      timeoutMs: DEADLINES.load,
      everyMs: 50,
    },
  )
  const seconds = (performance.now() - startedMs) / 1000
  const fromMs = await pulse.stop()
  await run.live({ do: 'await', deliveries: fromMs.length * STORM.live, timeoutMs: DEADLINES.load })
  const waits = await run.live<Waits>({ do: 'waits', fromMs })
  return [
    { name: 'resume_live_s', value: seconds, unit: 's' },
    { name: 'resume_hold_up_ms', value: waits.maxMs, unit: 'ms' },
    { name: 'resume_hold_up_p99_ms', value: waits.p99Ms, unit: 'ms' },
  ]
}

/** Seconds until a gateway is ready that begins with a full ring's worth of log. */
async function startWithFullRing(run: Run): Promise<number> {
  const { system } = run
  await run.clients({ do: 'close' })
  const feed = createFeed({ ...system, textBytes: FULL_RING.textBytes })
  const send = (count: number) =>
    feed.send(Array.from({ length: count }, (_, number) => ({ number, taskId: `ring_${number % 500}` })))
  for (let at = 0; at < FULL_RING.records; at += FULL_RING.batch) await send(FULL_RING.batch)
  const ending = new AbortController()
  const load = repeatUntil(ending.signal, async () => {
    await send(FULL_RING.load)
    await sleep(100)
  })
  try {
    return await system.startAnother()
  } finally {
    ending.abort()
    await load
    await feed.close()
  }
}

async function repeatUntil(signal: AbortSignal, work: () => Promise<void>): Promise<void> {
  while (!signal.aborted) await work()
}

/** The position of now, as the first block of a stream says it. */
async function idOfNow(system: StreamSystem): Promise<string> {
  const headers = { authorization: `Bearer ${system.apiKey}` }
  const { body } = await fetch(`${system.gateway.url}/v1/events/stream`, { headers })
  const reader = body?.getReader()
  let text = ''
  while (!/^id: \S+\n/m.test(text)) text += Buffer.from((await reader?.read())?.value ?? []).toString()
  await reader?.cancel()
  return /^id: (\S+)\n/m.exec(text)?.[1] ?? ''
}

/** One event every 100 ms until it is stopped; gives the moment at which the log had each. */
function startPulse(feed: Feed): { stop(): Promise<number[]> } {
  const writtenMs: number[] = []
  const stopping = new AbortController()
  const running = repeatUntil(stopping.signal, async () => {
    await feed.send([{ number: writtenMs.length, taskId: 'pulse' }])
    writtenMs.push(monotonicMs())
    await sleep(100)
  })
  return {
    async stop() {
      stopping.abort()
      await running
      return writtenMs
    },
  }
}
