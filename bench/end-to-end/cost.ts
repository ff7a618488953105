import { join } from 'node:path'
import pg from 'pg'
import { cpuSecondsOf, cpuSecondsOfFamily } from '../support/process-usage.ts'
import type { Measurement } from '../support/report.ts'
import type { BenchSystem } from '../support/system.ts'
import { createBatchCount } from './batch-count.ts'

/** Counts that only grow; of processor time, seconds by process. */
interface Totals {
  readonly cpuS: ReadonlyMap<string, number>
  readonly produceRequests: number
  readonly fetchRequests: number
  readonly commits: number
  readonly batches: number
}

/** The readers of the log, by the services that they are in and the prefixes of their metrics. */
const READERS = { projector: 'projector', 'stream-gateway': 'stream', 'webhook-worker': 'webhook_matcher' } as const
/** The process of the bench: it posts, and reads the stream. */
const LOAD = 'load'

/** What a system uses: processor time of each process by the kernel's accounting, requests and batches of Kafka, commits of Postgres. */
export interface CostMeter {
  /** Begins to count; the returned function ends it, and returns what each of so many events took. */
  start(): Promise<(events: number) => Promise<readonly Measurement[]>>
  close(): Promise<void>
}

/** Makes the meter. Its own requests to the processes are not counted. */
export function createCostMeter(system: BenchSystem): CostMeter {
  const db = new pg.Pool({ connectionString: system.databaseUrl, max: 1 })
  const countBatches = createBatchCount(join(system.dataDir, 'kafka/data'), 'ariftly.events.v1')

  async function readCounts(): Promise<Omit<Totals, 'cpuS'>> {
    const [produceRequests, fetchRequests, commits] = await Promise.all([
      metricOf(system, 'ingest', 'ariftly_ingest_send_records_count'),
      Promise.all(
        Object.entries(READERS).map(([service, prefix]) =>
          metricOf(system, service as keyof typeof READERS, `ariftly_${prefix}_fetches_total`),
        ),
      ),
      readCommits(db),
    ])
    return { produceRequests, fetchRequests: sum(fetchRequests), commits, batches: countBatches() }
  }

  async function start() {
    const counts = await readCounts()
    const before: Totals = { ...counts, cpuS: readCpu(system) }
    return async function end(events: number): Promise<readonly Measurement[]> {
      const cpuS = readCpu(system)
      return costs(before, { ...(await readCounts()), cpuS }, events)
    }
  }

  return { start, close: () => db.end() }
}

function costs(before: Totals, after: Totals, events: number): readonly Measurement[] {
  const usOf = (process: string) => (((after.cpuS.get(process) ?? 0) - (before.cpuS.get(process) ?? 0)) * 1e6) / events
  const processes = [...after.cpuS.keys()]
  const each = (count: (totals: Totals) => number) => (count(after) - count(before)) / events
  return [
    { name: 'cpu_us_per_event', value: sum(processes.filter((name) => name !== LOAD).map(usOf)), unit: 'µs' },
    ...processes.map((process) => ({ name: `cpu_us_per_event_${process}`, value: usOf(process), unit: 'µs' })),
    { name: 'produce_requests_per_event', value: each(({ produceRequests }) => produceRequests), unit: '' },
    { name: 'fetch_requests_per_event', value: each(({ fetchRequests }) => fetchRequests), unit: '' },
    { name: 'commits_per_event', value: each(({ commits }) => commits), unit: '' },
    { name: 'records_per_batch', value: 1 / each(({ batches }) => batches), unit: 'records' },
  ]
}

function readCpu({ services, stack }: BenchSystem): ReadonlyMap<string, number> {
  const { user, system } = process.cpuUsage()
  return new Map<string, number>([
    ['kafka', stack.kafka === undefined ? 0 : cpuSecondsOf([stack.kafka.pid])],
    ['postgres', stack.postgres === undefined ? 0 : cpuSecondsOfFamily(stack.postgres.pid)],
    ['redis', stack.redis === undefined ? 0 : cpuSecondsOf([stack.redis.pid])],
    ...Array.from(services, ([name, { pid }]) => [name.replace('-', '_'), cpuSecondsOf([pid])] as const),
    [LOAD, (user + system) / 1e6],
  ])
}

async function metricOf({ services }: BenchSystem, service: keyof typeof READERS | 'ingest', name: string) {
  const text = await (await fetch(`${services.get(service)?.url}/metrics`)).text()
  return Number(new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+]+)$`, 'm').exec(text)?.[1] ?? Number.NaN)
}

/** Backends report what they have committed about once a second. */
async function readCommits(db: pg.Pool): Promise<number> {
  const sql = 'SELECT xact_commit::float8 AS commits FROM pg_stat_database WHERE datname = current_database()'
  const { rows } = await db.query<{ commits: number }>(sql)
  return rows[0]?.commits ?? Number.NaN
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
