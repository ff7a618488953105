import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { brokers } from './brokers.bench.ts'
import { consoleBench } from './console.bench.ts'
import { cli } from './cli.bench.ts'
import { deliveries } from './deliveries.bench.ts'
import { endToEnd } from './end-to-end.bench.ts'
import { fanout } from './fanout.bench.ts'
import { fanoutLatency } from './fanout-latency.bench.ts'
import { follow } from './follow.bench.ts'
import { growth } from './growth.bench.ts'
import { idle } from './idle.bench.ts'
import { fairness } from './fairness.bench.ts'
import { ingest } from './ingest.bench.ts'
import { match } from './match.bench.ts'
import { neighbours } from './neighbours.bench.ts'
import { projector } from './projector.bench.ts'
import { query } from './query.bench.ts'
import { measureReferenceMs, machineFigures } from './support/machine.ts'
import { createReport, rounded, type Bench, type BenchOptions } from './support/report.ts'
import { sdk } from './sdk.bench.ts'
import { slowReaders } from './slow-readers.bench.ts'
import { system } from './system.bench.ts'
import { takeover } from './takeover.bench.ts'
import { tls } from './tls.bench.ts'
import { tracing } from './tracing.bench.ts'
import { webhookFaults } from './webhook-faults.bench.ts'
import { webhooks } from './webhooks.bench.ts'

/** Every benchmark by its name on the command line. */
const BENCHES: Readonly<Record<string, Bench>> = {
  brokers,
  console: consoleBench,
  cli,
  deliveries,
  'end-to-end': endToEnd,
  fanout,
  'fanout-latency': fanoutLatency,
  follow,
  growth,
  idle,
  fairness,
  ingest,
  match,
  neighbours,
  projector,
  query,
  sdk,
  'slow-readers': slowReaders,
  system,
  takeover,
  tracing,
  tls,
  'webhook-faults': webhookFaults,
  webhooks,
}

const ROOT = join(import.meta.dirname, '..')

/**
 * `npm run --silent bench -- <name> [--json] [--rows <number>] [--only <part>]`: builds, runs one benchmark on a stack of its own
 * and prints its values; with `--json` the last line of stdout is one JSON object. Progress goes to stderr. Rows are those of
 * `query` and `deliveries`; a part is a row of `end-to-end`, one of `ingest`, an attack of `neighbours` or a fault of `webhook-faults`.
 */
async function main(args: readonly string[]): Promise<void> {
  const json = args.includes('--json')
  const [name = '', ...more] = args.filter((arg) => arg !== '--json')
  const bench = BENCHES[name]
  const options = readOptions(name, more)
  if (bench === undefined || options === undefined) {
    const names = Object.keys(BENCHES).join(' | ')
    process.stderr.write(
      `Usage: npm run --silent bench -- <${names}> [--json]; query and deliveries take --rows <number>, end-to-end, ingest, neighbours and webhook-faults --only <part>\n`,
    )
    process.exitCode = 64
    return
  }
  build()
  const referenceMs = measureReferenceMs()
  const measurements = await bench((line) => process.stderr.write(`${name}: ${line}\n`), options)
  const exact = [...measurements, ...machineFigures(referenceMs)].map((measurement) => ({
    ...measurement,
    value: rounded(measurement.value),
  }))
  if (json) process.stdout.write(`${JSON.stringify(createReport(name, exact))}\n`)
  else for (const { name: what, value, unit } of exact) process.stdout.write(`${what.padEnd(28)} ${value} ${unit}\n`)
}

function readOptions(name: string, args: readonly string[]): BenchOptions | undefined {
  if (args.length === 0) return {}
  const [flag, rows = '', ...more] = args
  if (['end-to-end', 'ingest', 'neighbours', 'webhook-faults'].includes(name) && flag === '--only' && more.length === 0)
    return { only: rows }
  const good =
    ['query', 'deliveries'].includes(name) && flag === '--rows' && /^[1-9]\d{5,8}$/.test(rows) && more.length === 0
  return good ? { rows: Number(rows) } : undefined
}

/** The services run from their builds, as shipped. */
function build(): void {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const built = spawnSync(process.execPath, [tsc, '-b', 'services/standalone', 'services/migrate'], {
    cwd: ROOT,
    stdio: ['ignore', process.stderr, process.stderr],
  })
  if (built.status !== 0) throw new Error('the build failed')
}

await main(process.argv.slice(2))
