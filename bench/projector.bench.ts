import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServiceProcess } from '@ariftly/testkit'
import { copyIn, copyOut } from './projector/copy.ts'
import { startDebezium, type Debezium, type Tuning } from './projector/debezium.ts'
import { startProjectorHouse, type ProjectorHouse } from './projector/house.ts'
import { watchRows, type RowRate } from './projector/watch-rows.ts'
import { cpuSecondsOf, loadAverage } from './support/process-usage.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'

const ROUNDS = 3
const EVENTS = 200_000
/** Fewer, as the sink is slower: what counts is the rate. */
const SINK_EVENTS = 50_000
const TUNINGS: readonly Tuning[] = [500, 3_000].flatMap((batch) => [1, 4].map((tasks) => ({ batch, tasks })))

/**
 * The projector against its peers, one after the other in each round, with the same events in the same table with the
 * same indexes: against `\copy` of the rows, and against Kafka Connect with the Debezium JDBC sink (upsert) at the best of
 * four settings. Both readers start from a full log; what their start takes is left out.
 */
export const projector: Bench = async (say) => {
  const house = await startProjectorHouse({ ours: EVENTS, json: SINK_EVENTS }, say)
  const dir = mkdtempSync(join(tmpdir(), 'ariftly-bench-rows-'))
  let debezium: Debezium | undefined
  try {
    debezium = await startDebezium(house.kafka, say)
    const run: Run = { house, debezium, file: join(dir, 'rows'), tuning: await bestTuning(debezium, house, say) }
    const rounds: (readonly Measurement[])[] = []
    for (let round = 1; round <= ROUNDS; round += 1) {
      const measured = await measure(run)
      rounds.push(measured)
      say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`)
    }
    return medians(rounds)
  } finally {
    await debezium?.close()
    await house.close()
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Run {
  readonly house: ProjectorHouse
  readonly debezium: Debezium
  readonly file: string
  readonly tuning: Tuning
}

async function measure({ house, debezium, file, tuning }: Run): Promise<readonly Measurement[]> {
  const ours = await project(house)
  await copyOut(house.databaseUrl, file)
  await house.reset()
  const copyPerS = (house.ours.events / (await copyIn(house.databaseUrl, file))) * 1000
  const theirs = await sink(debezium, house, tuning)
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
    { name: 'load_average', value: loadAverage(), unit: '' },
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

async function project(house: ProjectorHouse): Promise<Projected> {
  await house.reset()
  const process = await startServiceProcess('projector', house.env, { untilReady: false })
  try {
    const rate = await watchRows(house.db, house.ours, {
      reader: () => cpuSecondsOf([process.pid]),
      postgres: house.postgresCpuS,
    })
    const text = await (await fetch(`${process.url}/metrics`)).text()
    const cpuS = metric(text, 'ariftly_process_cpu_seconds_total')
    return {
      ...rate,
      cpuUs: (cpuS * 1e6) / house.ours.events,
      rssMb: metric(text, 'ariftly_process_resident_memory_bytes') / 1024 / 1024,
    }
  } finally {
    process.kill('SIGTERM')
    await process.exited
  }
}

function metric(text: string, name: string): number {
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? ([\\d.e+]+)`, 'm').exec(text)?.[1]
  return Number(value ?? Number.NaN)
}

async function sink(debezium: Debezium, house: ProjectorHouse, tuning: Tuning): Promise<RowRate> {
  await house.reset()
  await debezium.start({ topic: house.jsonTopic, databaseUrl: house.databaseUrl, tuning })
  try {
    return await watchRows(house.db, house.json, {
      reader: () => cpuSecondsOf([debezium.pid]),
      postgres: house.postgresCpuS,
    })
  } finally {
    await debezium.stop()
  }
}

/** The settings with which the sink is fastest here. The first run warms the JVM up and does not count. */
async function bestTuning(debezium: Debezium, house: ProjectorHouse, say: (line: string) => void): Promise<Tuning> {
  const [first] = TUNINGS
  if (first === undefined) throw new Error('no settings to try')
  await sink(debezium, house, first)
  const tried: { tuning: Tuning; perS: number }[] = []
  for (const tuning of TUNINGS) tried.push({ tuning, perS: (await sink(debezium, house, tuning)).perS })
  say(`the sink by its settings: ${tried.map((t) => `${JSON.stringify(t.tuning)} ${Math.round(t.perS)}/s`).join(', ')}`)
  return tried.toSorted((a, b) => b.perS - a.perS)[0]?.tuning ?? first
}
