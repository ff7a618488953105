import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '@ariftly/testkit'
import pg from 'pg'
import { openCountingStream, type CountingStream } from '../support/count-stream.ts'
import { medians, percentile, type Measurement } from '../support/report.ts'
import { bySize } from '../support/size.ts'

/** Where the main job is done: by any number of processes that run already. */
export interface MainJobSystem {
  readonly ingest: string
  readonly gateway: string
  readonly databaseUrl: string
  readonly apiKey: string
}

const ROUNDS = bySize({ full: 3, smallest: 1 })
const BATCH = 100
const EVENTS = bySize({ full: 30_000, smallest: 2_000 })
const POSTERS = 8
const PACED = bySize({ full: { batches: 50, everyMs: 100 } as const, smallest: { batches: 5, everyMs: 100 } as const })

/**
 * The main job: POST in batches of 100 events of 300 B, until acknowledged, in Postgres and out of a stream. Throughput
 * is measured with eight clients that post as fast as they are answered; the time from acknowledgement to stream at a
 * steady 1,000 events a second. Medians of three rounds.
 */
export async function measureMainJob(
  system: MainJobSystem,
  say: (line: string) => void,
): Promise<readonly Measurement[]> {
  const db = new pg.Pool({ connectionString: system.databaseUrl, max: 1 })
  const stream = await openCountingStream(system.gateway, system.apiKey)
  const run: Run = { system, db, stream, next: 0 }
  try {
    await throughput(run, 2000) // Warm-up.
    const rounds: (readonly Measurement[])[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      rounds.push([...(await throughput(run, EVENTS)), ...(await latency(run))])
      say(
        `round ${round}: ${rounds
          .at(-1)
          ?.map(({ name, value }) => `${name} ${value.toFixed(1)}`)
          .join(', ')}`,
      )
    }
    return medians(rounds)
  } finally {
    stream.close()
    await db.end()
  }
}

interface Run {
  readonly system: MainJobSystem
  readonly db: pg.Pool
  readonly stream: CountingStream
  /** The number of the next event; numbers go on over all rounds. */
  next: number
}

async function throughput(run: Run, events: number): Promise<readonly Measurement[]> {
  const first = run.next
  run.next += events
  const projectedBefore = await projected(run.db)
  const startedMs = performance.now()
  let at = first

  async function postAll(): Promise<void> {
    while (at < first + events) {
      const from = at
      at += BATCH
      await post(run.system, from)
    }
  }

  const projecting = awaitProjected(run.db, projectedBefore + events)
  await Promise.all(Array.from({ length: POSTERS }, postAll))
  const acknowledgedMs = performance.now()
  const projectedMs = await projecting
  await eventually(() => run.stream.count >= run.next, { timeoutMs: 120_000, everyMs: 10 })
  const streamedMs = Math.max(...arrivals(run, first, run.next))
  const perS = (untilMs: number) => (events / (untilMs - startedMs)) * 1000
  return [
    { name: 'acknowledged_per_s', value: perS(acknowledgedMs), unit: 'events/s' },
    { name: 'projected_per_s', value: perS(projectedMs), unit: 'events/s' },
    { name: 'streamed_per_s', value: perS(streamedMs), unit: 'events/s' },
  ]
}

async function latency(run: Run): Promise<readonly Measurement[]> {
  const first = run.next
  run.next += PACED.batches * BATCH
  const acknowledgedMs: number[] = []
  const startedMs = performance.now()
  const posts: Promise<void>[] = []

  async function postPaced(batch: number): Promise<void> {
    await post(run.system, first + batch * BATCH)
    acknowledgedMs[batch] = performance.now()
  }

  for (let batch = 0; batch < PACED.batches; batch += 1) {
    await sleep(Math.max(0, startedMs + batch * PACED.everyMs - performance.now()))
    posts.push(postPaced(batch))
  }
  await Promise.all(posts)
  await eventually(() => run.stream.count >= run.next, { timeoutMs: 30_000 })
  // An event may be on the stream before its poster has read the answer: that is no waiting at all.
  const waits = arrivals(run, first, run.next).map((arrivedMs, index) => {
    return Math.max(0, arrivedMs - (acknowledgedMs[Math.floor(index / BATCH)] ?? Number.NaN))
  })
  return [
    { name: 'ack_to_stream_p50_ms', value: percentile(waits, 0.5), unit: 'ms' },
    { name: 'ack_to_stream_p99_ms', value: percentile(waits, 0.99), unit: 'ms' },
  ]
}

function arrivals({ stream }: Run, from: number, to: number): readonly number[] {
  return stream.arrivedMs.slice(from, to).map((arrivedMs) => arrivedMs ?? Number.NaN)
}

async function post(system: MainJobSystem, from: number): Promise<void> {
  const lines = Array.from({ length: BATCH }, (_, index) => line(from + index))
  const response = await fetch(`${system.ingest}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${system.apiKey}`, 'content-type': 'application/x-ndjson' },
    body: lines.join('\n'),
  })
  const text = await response.text()
  if (response.status !== 202) throw new Error(`ingest answered ${response.status}: ${text.slice(0, 300)}`)
}

/** An event whose line has 300 bytes. */
function line(number: number): string {
  const head = `{"type":"task.progress","task_id":"task_${number % 200}","agent":"bench","data":{"n":${number},"message":"`
  return `${head}${'x'.repeat(300 - head.length - 3)}"}}`
}

/** Resolves with the moment at which the projection had so many records. */
async function awaitProjected(db: pg.Pool, count: number): Promise<number> {
  await eventually(async () => (await projected(db)) >= count, { timeoutMs: 120_000, everyMs: 10 })
  return performance.now()
}

async function projected(db: pg.Pool): Promise<number> {
  const sql = `SELECT coalesce(sum(next_offset), 0)::float8 AS next FROM projection_offsets WHERE projection = 'events'`
  const result = await db.query<{ next: number }>(sql)
  return result.rows[0]?.next ?? 0
}
