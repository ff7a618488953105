// `npm run test:chaos -- [--only system] [--minutes 10] [--seed 1]`: a chaos test in its long form, that of the whole system if not said
// otherwise. A seed gives the same faults at the same moments again.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { checkNode, installIfStale, root, run } from './prepare.mjs'

// Each chaos test by its name here; one at a time, as two would disturb each other.
const TESTS = { system: 'test/chaos/system-chaos', streams: 'test/streams/chaos' }

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'system' },
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
  },
})
const pattern = TESTS[values.only]
const minutes = Number(values.minutes)
if (pattern === undefined || !(minutes > 0)) {
  process.stderr.write(
    `Usage: npm run test:chaos -- [--only ${Object.keys(TESTS).join(' | ')}] [--minutes 10] [--seed 1]\n`,
  )
  process.exit(64)
}

checkNode()
if (!installIfStale() || !run('node', ['node_modules/typescript/bin/tsc', '-b'])) process.exit(1)
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']
const { status } = spawnSync(process.execPath, [...jest, '--selectProjects', 'system', '--testPathPatterns', pattern], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    CHAOS_MINUTES: String(minutes),
    ...(values.seed === undefined ? {} : { TEST_SEED: values.seed }),
  },
})
process.exitCode = status ?? 1
