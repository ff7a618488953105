import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startWorker, type Worker } from './ingest/worker.ts'
import type { ClientsOrder, Waits } from './streams/clients.ts'
import { monotonicMs } from './streams/clock.ts'
import { createFeed, type Feed } from './streams/feed.ts'
import { CPU, startStreamSystem, type StreamSystem } from './streams/system.ts'
import { streamRequest } from './streams/workload.ts'
import { residentKbOf } from './support/process-usage.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const READERS = bySize({ full: 20, smallest: 2 })
const SLOW = bySize({ full: 200, smallest: 10 })
const EVENTS = bySize({ full: 50_000, smallest: 2_000 })
const WARM_UP = bySize({ full: 5000, smallest: 200 })
/** 2,500 events a second. */
const BATCH = 25
const EVERY_MS = 10
const ROUNDS = bySize({ full: 3, smallest: 1 })
const PATIENCE_MS = 120_000

/**
 * 20 clients that read 50,000 events at 2,500 a second, alone, and together with 200 that requested the same and read nothing:
 * their waits from the log's acknowledgement to their read, and the growth of the gateway's memory.
 */
export const slowReaders: Bench = async (say) => {
  const system = await startStreamSystem()
  const feed = createFeed({ broker: system.broker, topic: system.topic })
  const readers = await startClients()
  const slow = await startClients()
  const run: Run = {
    system,
    feed,
    readers,
    slow,
    request: streamRequest('/v1/events/stream?agent=bench', system.apiKey),
  }
  try {
    await measure(run, WARM_UP)
    const rounds: (readonly Measurement[])[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      const alone = await measure(run, EVENTS)
      const beforeKb = residentKbOf([system.gateway.pid])
      await slow.ask({ do: 'open', port: system.gateway.port, count: SLOW, requests: [run.request] })
      await slow.ask({ do: 'pause' })
      const beside = await measure(run, EVENTS)
      const grownMb = (residentKbOf([system.gateway.pid]) - beforeKb) / 1024
      await slow.ask({ do: 'close' })
      say(`round ${round}: alone ${JSON.stringify(alone)}, with slow readers ${JSON.stringify(beside)}`)
      rounds.push([
        { name: 'alone_p50_ms', value: alone.p50Ms, unit: 'ms' },
        { name: 'alone_p99_ms', value: alone.p99Ms, unit: 'ms' },
        { name: 'beside_slow_p50_ms', value: beside.p50Ms, unit: 'ms' },
        { name: 'beside_slow_p99_ms', value: beside.p99Ms, unit: 'ms' },
        { name: 'p99_beside_slow_vs_alone', value: beside.p99Ms / alone.p99Ms, unit: '' },
        { name: 'rss_grown_mb', value: grownMb, unit: 'MB' },
      ])
    }
    return medians(rounds)
  } finally {
    for (const part of [readers, slow, feed, system]) await part.close()
  }
}

function startClients(): Promise<Worker> {
  return startWorker(join(import.meta.dirname, 'streams/clients.ts'), CPU.others)
}

interface Run {
  readonly system: StreamSystem
  readonly feed: Feed
  readonly readers: Worker
  readonly slow: Worker
  readonly request: string
}

async function measure({ system, feed, readers, request }: Run, events: number): Promise<Waits> {
  const ask = <A>(order: ClientsOrder) => readers.ask<A>(order)
  await ask({ do: 'open', port: system.gateway.port, count: READERS, requests: [request] })
  try {
    await ask({ do: 'time' })
    const fromMs = await feedPaced(feed, events)
    await ask({ do: 'await', deliveries: events * READERS, timeoutMs: PATIENCE_MS })
    return await ask<Waits>({ do: 'waits', fromMs })
  } finally {
    await ask({ do: 'close' })
  }
}

/** Feeds at a steady pace, one batch after the other; gives when the log had acknowledged each number. */
async function feedPaced(feed: Feed, events: number): Promise<number[]> {
  const ackedAtMs: number[] = []
  const startedMs = monotonicMs()
  for (let from = 0; from < events; from += BATCH) {
    await sleep(Math.max(0, startedMs + (from / BATCH) * EVERY_MS - monotonicMs()))
    await feed.send(Array.from({ length: BATCH }, (_, index) => ({ number: from + index, taskId: `task_${index}` })))
    const nowMs = monotonicMs()
    for (let index = 0; index < BATCH; index += 1) ackedAtMs.push(nowMs)
  }
  return ackedAtMs
}
