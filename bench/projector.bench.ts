import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServiceProcess } from '@ariftly/testkit'
import { copyIn, copyOut } from './projector/copy.ts'
import { startDebezium, type Debezium, type Tuning } from './projector/debezium.ts'
import { startProjectorSystem, type ProjectorSystem } from './projector/system.ts'
import { watchRows, type RowRate } from './projector/watch-rows.ts'
import { cpuSecondsOf } from './support/process-usage.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const ROUNDS = bySize({ full: 3, smallest: 1 })
const EVENTS = bySize({ full: 200_000, smallest: 5_000 })
/** Fewer, as the sink is slower: what counts is the rate. */
const SINK_EVENTS = bySize({ full: 50_000, smallest: 2_000 })
const TUNINGS: readonly Tuning[] = [500, 3_000].flatMap((batch) => [1, 4].map((tasks) => ({ batch, tasks })))

/**
 * The projector against its peers, one after another in each round, with the same events in the same table with the
 * same indexes: against `\copy` of the rows, and against Kafka Connect with the Debezium JDBC sink (upsert) at the best of
 * four settings. Both readers start from a full log; what their start takes is left out.
 */
export const projector: Bench = async (say) => {
  const system = await startProjectorSystem({ ours: EVENTS, json: SINK_EVENTS }, say)
  const dir = mkdtempSync(join(tmpdir(), 'ariftly-bench-rows-'))
  let debezium: Debezium | undefined
  try {
    debezium = await startDebezium(system.kafka, say)
    const run: Run = { system, debezium, file: join(dir, 'rows'), tuning: await bestTuning(debezium, system, say) }
    const rounds: (readonly Measurement[])[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      const measured = await measure(run)
      rounds.push(measured)
      say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`)
    }
    return medians(rounds)
  } finally {
    await debezium?.close()
    await system.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Run {
  readonly system: ProjectorSystem
  readonly debezium: Debezium
  readonly file: string
  readonly tuning: Tuning
}

async function measure({ system, debezium, file, tuning }: Run): Promise<readonly Measurement[]> {
  const ours = await project(system)
  await copyOut(system.databaseUrl, file)
  await system.reset()
  const copyPerS = (system.ours.events / (await copyIn(system.databaseUrl, file))) * 1000
  const theirs = await sink(debezium, system, tuning)
  return [
    { name: 'projected_per_s', value: ours.perS, unit: 'events/s' },
    { name: 'projector_cpu_us', value: ours.cpuUs, unit: 'us/event' },
    { name: 'projector_rss_mb', value: ours.rssMb, unit: 'MB' },
    { name: 'copy_per_s', value: copyPerS, unit: 'rows/s' },
    { name: 'debezium_per_s', value: theirs.perS, unit: 'events/s' },
    { name: 'projector_row_us', value: ours.readerUs, unit: 'us/row' },
    { name: 'projector_postgres_row_us', value: ours.postgresUs, unit: 'us/row' },
    { name: 'debezium_row_us', value: theirs.readerUs, unit: 'us/row' },
    { name: 'debezium_postgres_row_us', value: theirs.postgresUs, unit: 'us/row' },
    { name: 'vs_copy', value: ours.perS / copyPerS, unit: '' },
    { name: 'vs_debezium', value: ours.perS / theirs.perS, unit: '' },
    { name: 'vs_debezium_cpu', value: totalUs(theirs) / totalUs(ours), unit: '' },
  ]
}

/** What a row costs, reader and Postgres together. */
function totalUs({ readerUs, postgresUs }: RowRate): number {
  return readerUs + postgresUs
}

interface Projected extends RowRate {
  /** CPU time of the projector's process, its start included. */
  readonly cpuUs: number
  readonly rssMb: number
}

async function project(system: ProjectorSystem): Promise<Projected> {
  await system.reset()
  const process = await startServiceProcess('projector', system.env, { untilReady: false })
  try {
    const rate = await watchRows(system.db, system.ours, {
      reader: () => cpuSecondsOf([process.pid]),
      postgres: system.postgresCpuS,
    })
    const cpuS = await process.metric('ariftly_process_cpu_seconds_total')
    return {
      ...rate,
      cpuUs: (cpuS * 1e6) / system.ours.events,
      rssMb: process.residentBytes() / 1024 / 1024,
    }
  } finally {
    process.kill('SIGTERM')
    await process.exited
  }
}

async function sink(debezium: Debezium, system: ProjectorSystem, tuning: Tuning): Promise<RowRate> {
  await system.reset()
  await debezium.start({ topic: system.jsonTopic, databaseUrl: system.databaseUrl, tuning })
  try {
    return await watchRows(system.db, system.json, {
      reader: () => cpuSecondsOf([debezium.pid]),
      postgres: system.postgresCpuS,
    })
  } finally {
    await debezium.stop()
  }
}

/** The settings with which the sink is fastest here. The first run warms the JVM up and does not count. */
async function bestTuning(debezium: Debezium, system: ProjectorSystem, say: (line: string) => void): Promise<Tuning> {
  const [first] = TUNINGS
  if (first === undefined) throw new Error('no settings to try')
  await sink(debezium, system, first)
  const tried: { tuning: Tuning; perS: number }[] = []
  for (const tuning of TUNINGS) tried.push({ tuning, perS: (await sink(debezium, system, tuning)).perS })
  say(`the sink by its settings: ${tried.map((t) => `${JSON.stringify(t.tuning)} ${Math.round(t.perS)}/s`).join(', ')}`)
  return tried.toSorted((a, b) => b.perS - a.perS)[0]?.tuning ?? first
}
