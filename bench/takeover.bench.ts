import { spawn, type ChildProcess } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createKafka, describeLog, type KafkaClient } from '@ariftly/kafka'
import { createPool, type Pool } from '@ariftly/store'
import {
  DEADLINES,
  createPartitionPosts,
  eventually,
  silentLog,
  type PartitionPosts,
  type ServiceProcess,
} from '@ariftly/testkit'
import type { LoadOrder, LoadResult } from './ingest/http-load.ts'
import { startWorker } from './ingest/worker.ts'
import { API_KEY, startBenchStack, type BenchStack } from './support/bench-stack.ts'
import { loadAverage } from './support/process-usage.ts'
import type { Bench, Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const TOPIC = 'ariftly.events.v1'
const PARTITIONS = 12
const ALL = Array.from({ length: PARTITIONS }, (_, partition) => partition)
const KILLS = bySize({ full: 5, smallest: 1 })
/** Each partition gets an event so often while processes are killed. */
const EVERY_MS = 100
const POLL_MS = 25
const FULL_LOAD_MS = bySize({ full: 60_000, smallest: 2_000 })
const FLOOD = { events: 1000, connections: 8 } as const
const PATIENCE = { timeoutMs: DEADLINES.step, everyMs: 100 }

/**
 * Effect of killing a projector: five kills of one of two, each until all of its partitions are projected again beyond the log's
 * end at the kill. Then a flood of batches and a busy process for each processor keep the machine at full load for a minute:
 * no live member of the group may be taken for dead.
 */
export const takeover: Bench = async (say) => {
  return await startBenchStack({ parts: ['kafka', 'postgres'], env: { LOG_LEVEL: 'warn' } }, async (bench) => {
    const ingest = await bench.start('ingest')
    const pool = createPool({ role: null, url: bench.stack.addresses.postgres, applicationName: 'bench', max: 2 })
    const kafka = createKafka({ brokers: [bench.stack.addresses.kafka], clientId: 'bench', log: silentLog })
    try {
      const posts = createPartitionPosts({
        url: ingest.url,
        apiKey: API_KEY,
        tenant: 'default',
        partitions: PARTITIONS,
      })
      const felt = await killProjectors({ bench, pool, kafka, posts }, say)
      const falseAlarms = await countFalseAlarms(bench, ingest, say)
      return [
        { name: 'takeover_worst_ms', value: Math.max(...felt), unit: 'ms' },
        { name: 'takeover_least_ms', value: Math.min(...felt), unit: 'ms' },
        { name: 'false_alarms_at_full_load', value: falseAlarms, unit: 'rejoins' },
      ] satisfies Measurement[]
    } finally {
      await kafka.close()
      await pool.end()
      await bench.close()
    }
  })
}

interface Run {
  readonly bench: BenchStack
  readonly pool: Pool
  readonly kafka: KafkaClient
  readonly posts: PartitionPosts
}

/** Milliseconds for which each kill was felt. */
async function killProjectors(run: Run, say: (line: string) => void): Promise<readonly number[]> {
  const over = new AbortController()
  const posting = postSteadily(run.posts, over.signal)
  try {
    return await killOneByOne(run, say)
  } finally {
    over.abort()
    await posting
  }
}

async function killOneByOne(run: Run, say: (line: string) => void): Promise<readonly number[]> {
  let pair = await Promise.all([startProjector(run.bench), startProjector(run.bench)])
  const felt: number[] = []
  for (let kill = 1; kill <= KILLS; kill += 1) {
    await eventually('both projectors have joined', () => pair.every((each) => joins(each) > 0), PATIENCE)
    await calm(run)
    const [victim, other] = pair
    victim.kill('SIGKILL')
    const killedMs = performance.now()
    const ends = await logEnds(run.kafka)
    await eventually('the log is projected', async () => isBeyond(await positions(run.pool), ends), {
      ...PATIENCE,
      everyMs: POLL_MS,
    })
    const ms = performance.now() - killedMs
    felt.push(ms)
    say(`kill ${kill}: ${Math.round(ms)} ms`)
    // The one that took over is the next to die.
    pair = [other, await startProjector(run.bench)]
  }
  for (const each of pair) each.kill('SIGTERM')
  await Promise.all(pair.map((each) => each.exited))
  return felt
}

/** Times that members joined the group again without a cause, over both of two projectors. */
async function countFalseAlarms(
  bench: BenchStack,
  ingest: ServiceProcess,
  say: (line: string) => void,
): Promise<number> {
  const pair = await Promise.all([startProjector(bench), startProjector(bench)])
  await eventually('both projectors have joined', () => pair.every((each) => joins(each) > 0), PATIENCE)
  const before = await settledJoins(pair)
  const load = await startWorker(join(import.meta.dirname, 'ingest/http-load.ts'))
  const busy = Array.from({ length: availableParallelism() }, startBusyProcess)
  try {
    const order: LoadOrder = { ...FLOOD, port: ingest.port, apiKey: API_KEY, ms: FULL_LOAD_MS }
    const { requestsPerS } = await load.ask<LoadResult>(order)
    say(`full load: ${Math.round(requestsPerS * FLOOD.events)} events/s, load average ${loadAverage()}`)
    return sum(pair.map(joins)) - before
  } finally {
    for (const each of busy) each.kill('SIGKILL')
    await load.close()
  }
}

/** Its log says when a member was given partitions. */
function startProjector(bench: BenchStack): Promise<ServiceProcess> {
  return bench.start('projector', { LOG_LEVEL: 'debug' })
}

function joins(projector: ServiceProcess): number {
  return projector.output().split('partitions are assigned').length - 1
}

/** The number of joins once it stays the same: members that start make each other join again. */
async function settledJoins(pair: readonly ServiceProcess[]): Promise<number> {
  let last = -1
  await eventually(
    'the number of joins stays the same',
    () => {
      const now = sum(pair.map(joins))
      const isSame = now === last
      last = now
      return isSame
    },
    { timeoutMs: DEADLINES.step, everyMs: 5_000 },
  )
  return last
}

function startBusyProcess(): ChildProcess {
  return spawn(process.execPath, ['-e', `const end = Date.now() + ${2 * FULL_LOAD_MS}; while (Date.now() < end);`])
}

async function postSteadily(posts: PartitionPosts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await posts.post(ALL)
    await wait(EVERY_MS)
  }
}

/** Until the log's current end is projected, twice in a row: no rebalance is running. */
async function calm({ pool, kafka }: Run): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    const ends = await logEnds(kafka)
    await eventually('the log is projected', async () => isBeyond(await positions(pool), ends), PATIENCE)
    await wait(1_000)
  }
}

async function logEnds(kafka: KafkaClient): Promise<ReadonlyMap<number, number>> {
  const { partitions } = await describeLog(kafka, TOPIC)
  return new Map(partitions.map(({ partition, logEnd }) => [partition, logEnd]))
}

async function positions(pool: Pool): Promise<ReadonlyMap<number, number>> {
  const sql = `SELECT partition, next_offset::float8 AS next FROM projection_offsets WHERE projection = 'events'`
  const { rows } = await pool.query<{ partition: number; next: number }>(sql)
  return new Map(rows.map(({ partition, next }) => [partition, next]))
}

/** Whether an event of each partition was projected that was not in the log yet. */
function isBeyond(next: ReadonlyMap<number, number>, ends: ReadonlyMap<number, number>): boolean {
  return [...ends].every(([partition, end]) => (next.get(partition) ?? 0) > end)
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
