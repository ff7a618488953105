// `npm run test:long -- [--only faults,chaos,streams,release,repeat,bench,generators,schemathesis,runtimes] [--minutes 10] [--brokers 3] [--rounds 2] [--seed 1] [--from v1.0.0]`: tests that are too long for each change.
// One part after another; the last line is `N passed, N failed`.
//   faults   every level, with long faults, more events and more random inputs (ARIFTLY_LONG_FAULTS=1)
//   chaos    faults at random moments on the whole system, for `--minutes`; with `--brokers 3` on a cluster of three
//   streams  the same for streams alone
//   release  a rolling upgrade under load from the release or commit `--from`, its processes and data side by side with this one's
//   repeat   unit, int and e2e again, `--rounds` times, with processes that keep every core busy
//   bench    each benchmark in its smallest form: it runs, and prints its values
//   generators    clients made from the OpenAPI document by other generators, also for Go (needs Go 1.21 or newer)
//   schemathesis  requests made from the OpenAPI document, for `--minutes`
//   runtimes      the packed SDK on Bun and Deno, with binaries from npm (Linux on x64)
import { spawn } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildRelease } from './build-release.mjs'
import { checkNode, installIfStale, root, run } from './prepare.mjs'
import { ALL_LEVELS, runJest } from './run-jest.mjs'

const PARTS = {
  faults: async () => sum(await eachOf(ALL_LEVELS, (options) => runJest(options, { ARIFTLY_LONG_FAULTS: '1' }))),
  chaos: () => runChaos('test/chaos/system-chaos'),
  streams: () => runChaos('test/streams/chaos'),
  release: runUpgrade,
  repeat: repeatBesideLoad,
  bench: runBenches,
  generators: () => runE2e('test/generators', { TEST_GO_CLIENT: '1' }),
  runtimes: runRuntimes,
  schemathesis: () => runE2e('test/e2e/schemathesis', { SCHEMATHESIS_MINUTES: values.minutes }),
}
/** No load lasts longer than this, however the run ends. */
const LOAD_MS_MAX = 3_600_000
/** A benchmark in its smallest form takes seconds; most of them are the start of its stack. */
const BENCH_MS_MAX = 300_000

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: Object.keys(PARTS).join(',') },
    minutes: { type: 'string', default: '10' },
    brokers: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '2' },
    seed: { type: 'string' },
    from: { type: 'string' },
  },
})
const names = values.only.split(',')
const [minutes, rounds] = [Number(values.minutes), Number(values.rounds)]
if (
  names.some((name) => !Object.hasOwn(PARTS, name)) ||
  !(minutes > 0) ||
  !(rounds >= 1) ||
  !['1', '3'].includes(values.brokers)
) {
  process.stderr.write(
    `Usage: npm run test:long -- [--only ${Object.keys(PARTS).join(',')}] [--minutes 10] [--brokers 3] [--rounds 2] [--seed 1] [--from v1.0.0]\n`,
  )
  process.exit(64)
}

checkNode()
if (!(await installIfStale('.', 'tools')) || !(await run('node', ['node_modules/typescript/bin/tsc', '-b']))) {
  process.exit(1)
}
const results = await eachOf(names, async (name) => {
  const startedMs = Date.now()
  const { passed, failed } = await PARTS[name]()
  const tookMin = ((Date.now() - startedMs) / 60_000).toFixed(1)
  process.stdout.write(`${name}: ${passed} passed, ${failed} failed in ${tookMin} min\n`)
  return { passed, failed }
})
const { passed, failed } = sum(results)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1

function runChaos(pattern) {
  const env = {
    CHAOS_MINUTES: String(minutes),
    CHAOS_BROKERS: values.brokers,
    ...(values.seed === undefined ? {} : { TEST_SEED: values.seed }),
  }
  return runJest(['--selectProjects', 'system', '--testPathPatterns', pattern], env)
}

function runE2e(pattern, env) {
  return runJest(['--selectProjects', 'e2e', '--testPathPatterns', pattern], env)
}

/** Their packages hold the binaries, so no script of a package is run. */
async function runRuntimes() {
  const packages = ['@oven/bun-linux-x64@1.4.5', '@deno/linux-x64-glibc@2.9.6']
  const options = ['--prefix', join(root, '.cache/runtimes'), '--no-save', '--no-audit', '--no-fund']
  if (!(await run('npm', ['install', ...options, ...packages]))) return { passed: 0, failed: 1 }
  return await runE2e('test/sdk/packed', { TEST_RUNTIMES: '1' })
}

async function runUpgrade() {
  if (values.from === undefined) {
    process.stdout.write('release: there is no release yet; name the commit to upgrade from: --from <commit>\n')
    return { passed: 0, failed: 0 }
  }
  const dir = await buildRelease(values.from)
  if (dir === undefined) return { passed: 0, failed: 1 }
  const options = ['--selectProjects', 'system', '--testPathPatterns', 'test/faults/rolling-restart']
  return runJest(options, { UPGRADE_FROM_DIR: dir })
}

async function repeatBesideLoad() {
  const busy = `const end = Date.now() + ${LOAD_MS_MAX}; while (Date.now() < end);`
  const load = Array.from({ length: 2 * availableParallelism() }, () => spawn(process.execPath, ['-e', busy]))
  try {
    const options = ['--selectProjects', 'unit', 'int', 'e2e', '--maxWorkers', '2']
    return sum(await eachOf(Array.from({ length: rounds }), () => runJest(options)))
  } finally {
    for (const process of load) process.kill('SIGKILL')
  }
}

async function runBenches() {
  const suffix = '.bench.ts'
  const files = readdirSync(join(root, 'bench')).filter((file) => file.endsWith(suffix))
  return sum(await eachOf(files, (file) => runBench(file.slice(0, -suffix.length))))
}

/** Passed when the last line is a report with values. What it writes is shown when it failed. */
async function runBench(name) {
  const args = ['--conditions=source', '--import', 'tsx', 'bench/run.ts', name, '--json']
  const bench = spawn(process.execPath, args, { cwd: root, env: { ...process.env, BENCH_SMALLEST: '1' } })
  let output = ''
  for (const stream of [bench.stdout, bench.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text))
  const timer = setTimeout(() => bench.kill('SIGKILL'), BENCH_MS_MAX)
  const code = await new Promise((resolve) => bench.on('close', resolve))
  clearTimeout(timer)
  const good = code === 0 && /^\{"bench":.*"value":.*\}$/m.test(output)
  process.stdout.write(`bench ${name}: ${good ? 'runs' : `failed (${code})\n${output}`}\n`)
  return good ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
}

/** One after the other. */
async function eachOf(list, work) {
  const answers = []
  for (const item of list) answers.push(await work(item))
  return answers
}

function sum(counts) {
  const add = (name) => counts.reduce((total, result) => total + result[name], 0)
  return { passed: add('passed'), failed: add('failed') }
}
