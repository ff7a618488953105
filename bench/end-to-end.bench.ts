import { createCostMeter } from './end-to-end/cost.ts'
import { openMainJob, type MainJob, type StreamedLoad } from './end-to-end/measure-load.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'
import { startBenchSystem } from './support/system.ts'

/** A load whose cost is measured with a stream that gets all events, and with none. */
interface Row {
  /** `--only <name>` measures it alone. */
  readonly name: string
  readonly partitions: number
  readonly batch: number
  readonly eventsPerS?: number
  readonly rounds: number
}

const PACE = { eventsPerS: 1_000 } as const
/** The first one's figures have no name in front. */
const ALL_ROWS: readonly Row[] = [
  { name: 'batch_100', partitions: 12, batch: 100, rounds: 3 },
  { name: 'batch_10', partitions: 12, batch: 10, rounds: 1 },
  { name: 'batch_1', partitions: 12, batch: 1, rounds: 1 },
  { name: 'paced_100', partitions: 12, batch: 100, ...PACE, rounds: 1 },
  { name: 'paced_10', partitions: 12, batch: 10, ...PACE, rounds: 1 },
  { name: 'paced_1', partitions: 12, batch: 1, ...PACE, rounds: 1 },
  { name: 'partitions_3', partitions: 3, batch: 100, rounds: 1 },
  { name: 'partitions_1', partitions: 1, batch: 100, rounds: 1 },
]
const ROWS = bySize({ full: ALL_ROWS, smallest: ALL_ROWS.filter(({ name }) => /_1$|_100$/.test(name)) })
const [MAIN] = ROWS
const ROUND_MS = bySize({ full: 10_000, smallest: 200 })
const WARM_UP = bySize({ full: { forMs: 5_000, roundsMax: 12 }, smallest: { forMs: 200, roundsMax: 2 } })
/** A round that is faster by less than this does not count as faster. */
const RISE_MIN = 1.03
/** So many rounds in a row that are no faster end the warm-up: one may be slow for what else the machine does. */
const SLOWER_ROUNDS = 3

/**
 * The main job with each of the five services as a process of its own, and what an event costs each of them, Kafka and Postgres
 * included. Each number of partitions has a system of its own, whose first round is the cold start; it is warm when the rate has
 * stopped rising, and warmed up again for posts of another size, which run other code. Medians over the rounds.
 */
export const endToEnd: Bench = async (say, { only } = {}) => {
  const rows = only === undefined ? ROWS : ALL_ROWS.filter(({ name }) => name === only)
  if (rows.length === 0) throw new Error(`--only takes one of ${ALL_ROWS.map(({ name }) => name).join(', ')}`)
  const measured: Measurement[] = []
  for (const partitions of new Set(rows.map((row) => row.partitions))) {
    const ofSystem = rows.filter((row) => row.partitions === partitions)
    measured.push(...(await measureSystem(partitions, ofSystem, say)))
  }
  return measured
}

async function measureSystem(
  partitions: number,
  rows: readonly Row[],
  say: (line: string) => void,
): Promise<readonly Measurement[]> {
  const system = await startBenchSystem({ KAFKA_PARTITIONS: String(partitions) })
  const meter = createCostMeter(system)
  const job = openMainJob({ ...system, startCost: () => meter.start() })
  try {
    const sayOfSystem = (line: string) => say(`${partitions} partitions, ${line}`)
    const load = { batch: MAIN?.batch ?? 1, stream: true }
    const cold = await job.measure({ ...load, forMs: ROUND_MS })
    sayOfSystem(`cold: ${summary(cold)}`)
    await warmUp(job, load, sayOfSystem)
    const isMain = partitions === MAIN?.partitions
    const measured = isMain ? cold.filter(({ name }) => name === 'first_10_s_events') : []
    const warm = new Set([load.batch])
    for (const row of rows) {
      if (!warm.has(row.batch)) await warmUp(job, { ...load, batch: row.batch }, sayOfSystem)
      warm.add(row.batch)
      measured.push(...(await measureRow(job, row, say)))
    }
    return measured
  } finally {
    await job.close()
    await meter.close()
    await system.close()
  }
}

/** Loads the system, as fast as it answers, until the rate has stopped rising. */
async function warmUp(
  job: MainJob,
  load: Pick<StreamedLoad, 'batch' | 'stream'>,
  say: (line: string) => void,
): Promise<void> {
  let best = 0
  let slower = 0
  for (let round = 1; round <= WARM_UP.roundsMax && slower < SLOWER_ROUNDS; round += 1) {
    const warm = await job.measure({ ...load, forMs: WARM_UP.forMs })
    say(`batches of ${load.batch}, warm-up ${round}: ${summary(warm)}`)
    const rate = valueOf(warm, 'acknowledged_per_s')
    slower = rate < best * RISE_MIN ? slower + 1 : 0
    best = Math.max(best, rate)
  }
}

async function measureRow(job: MainJob, row: Row, say: (line: string) => void): Promise<readonly Measurement[]> {
  const prefix = row === MAIN ? '' : `${row.name}_`
  const measured: Measurement[] = []
  for (const stream of [true, false]) {
    const load: StreamedLoad = { ...row, stream, forMs: ROUND_MS }
    const rounds: (readonly Measurement[])[] = []
    for (let round = 1; round <= row.rounds; round += 1) {
      const figures = (await job.measure(load)).filter(({ name }) => name !== 'first_10_s_events')
      say(`${row.name}, ${stream ? 'one stream' : 'no stream'}, round ${round}: ${summary(figures)}`)
      rounds.push(figures)
    }
    const place = stream ? prefix : `${prefix}no_stream_`
    measured.push(...medians(rounds).map((figure) => ({ ...figure, name: `${place}${figure.name}` })))
  }
  return measured
}

function summary(figures: readonly Measurement[]): string {
  const shown = figures.filter(({ name }) => !name.endsWith('_redis') && !name.endsWith('_api'))
  return shown.map(({ name, value }) => `${name.replace('cpu_us_per_event_', '')} ${shortened(value)}`).join(', ')
}

function shortened(value: number): string {
  return value < 1 ? value.toFixed(4) : value.toFixed(1)
}

function valueOf(figures: readonly Measurement[], wanted: string): number {
  return figures.find(({ name }) => name === wanted)?.value ?? Number.NaN
}
