import { DEADLINES, eventually } from '@ariftly/testkit'
import pg from 'pg'
import { openCountingStream, type CountingStream } from '../support/count-stream.ts'
import { percentile, type Measurement } from '../support/report.ts'
import { postEvents, type Load, type Posted } from './post-events.ts'

/** Where the main job is done: by any number of processes that run already. */
export interface MainJobSystem {
  readonly ingest: string
  readonly gateway: string
  readonly databaseUrl: string
  readonly apiKey: string
  /** Begins to count what the system uses; the returned function ends it, and returns what each of so many events took. */
  startCost?(): Promise<(events: number) => Promise<readonly Measurement[]>>
}

/** A load, and whether a stream that gets all events is open meanwhile. */
export interface StreamedLoad extends Load {
  readonly stream: boolean
}

/** Measures the main job under one load after another. */
export interface MainJob {
  measure(load: StreamedLoad): Promise<readonly Measurement[]>
  close(): Promise<void>
}

const PATIENCE = { timeoutMs: DEADLINES.load, everyMs: 10 }
/** A cold start is what happens within this. */
const COLD_MS = 10_000

/** Nothing but the main job may write into the log meanwhile. */
export function openMainJob(system: MainJobSystem): MainJob {
  const db = new pg.Pool({ connectionString: system.databaseUrl, max: 1 })
  let posted = 0

  async function measure(load: StreamedLoad): Promise<readonly Measurement[]> {
    const first = posted
    const before = await projected(db)
    const stream = load.stream ? await openCountingStream(system, first) : undefined
    const endCost = await system.startCost?.()
    try {
      const sent = await postEvents(system, load, first)
      posted += sent.events
      await eventually('all events are projected', async () => (await projected(db)) >= before + sent.events, PATIENCE)
      const projectedMs = performance.now()
      if (stream !== undefined) await eventually('all events are streamed', () => stream.count >= sent.events, PATIENCE)
      const cost = (await endCost?.(sent.events)) ?? []
      return [...rates(sent, projectedMs, stream), ...waits(sent, load, stream), ...cost]
    } finally {
      stream?.close()
    }
  }

  return { measure, close: () => db.end() }
}

function rates(
  { events, startedMs, acknowledgedMs }: Posted,
  projectedMs: number,
  stream: CountingStream | undefined,
): readonly Measurement[] {
  const perS = (untilMs: number) => (events / (untilMs - startedMs)) * 1000
  const common = [
    { name: 'acknowledged_per_s', value: perS(latest(acknowledgedMs)), unit: 'events/s' },
    { name: 'projected_per_s', value: perS(projectedMs), unit: 'events/s' },
  ]
  if (stream === undefined) return common
  const early = stream.arrivedMs.filter((arrivedMs) => (arrivedMs ?? Infinity) < startedMs + COLD_MS)
  return [
    ...common,
    { name: 'streamed_per_s', value: perS(latest(stream.arrivedMs)), unit: 'events/s' },
    { name: 'first_10_s_events', value: early.length, unit: 'events' },
  ]
}

/** From acknowledgement to stream; only of a load that leaves the system time. */
function waits(
  { acknowledgedMs }: Posted,
  { batch, eventsPerS }: Load,
  stream: CountingStream | undefined,
): readonly Measurement[] {
  if (stream === undefined || eventsPerS === undefined) return []
  // An event may be on the stream before its poster has read the answer: that is no waiting at all.
  const waitedMs = stream.arrivedMs.map((arrivedMs, index) => {
    return Math.max(0, (arrivedMs ?? Number.NaN) - (acknowledgedMs[Math.floor(index / batch)] ?? Number.NaN))
  })
  return [
    { name: 'ack_to_stream_p50_ms', value: percentile(waitedMs, 0.5), unit: 'ms' },
    { name: 'ack_to_stream_p99_ms', value: percentile(waitedMs, 0.99), unit: 'ms' },
  ]
}

/** Of moments that are too many for the arguments of a call. */
function latest(momentsMs: readonly (number | undefined)[]): number {
  return momentsMs.reduce<number>((last, each) => Math.max(last, each ?? 0), 0)
}

async function projected(db: pg.Pool): Promise<number> {
  const sql = `SELECT coalesce(sum(next_offset), 0)::float8 AS next FROM projection_offsets WHERE projection = 'events'`
  const result = await db.query<{ next: number }>(sql)
  return result.rows[0]?.next ?? 0
}
