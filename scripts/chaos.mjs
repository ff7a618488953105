// `npm run test:chaos -- [--only streams] [--minutes 10] [--seed 1]`: the chaos tests in their long form. A seed gives the same faults
// at the same moments again.
import { spawnSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { checkNode, installIfStale, root, run } from './prepare.mjs'

// Each chaos test by its name here.
const TESTS = { streams: 'test/streams/chaos' }

const { values } = parseArgs({
  options: { only: { type: 'string' }, minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
})
const patterns = values.only === undefined ? Object.values(TESTS) : [TESTS[values.only]]
const minutes = Number(values.minutes)
if (patterns.includes(undefined) || !(minutes > 0)) {
  process.stderr.write(
    `Usage: npm run test:chaos -- [--only ${Object.keys(TESTS).join(' | ')}] [--minutes 10] [--seed 1]\n`,
  )
  process.exit(64)
}

checkNode()
if (!installIfStale() || !run('node', ['node_modules/typescript/bin/tsc', '-b'])) process.exit(1)
const jest = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']
const { status } = spawnSync(
  process.execPath,
  [...jest, '--selectProjects', 'faults', '--testPathPatterns', ...patterns],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      CHAOS_MINUTES: String(minutes),
      ...(values.seed === undefined ? {} : { TEST_SEED: values.seed }),
    },
  },
)
process.exitCode = status ?? 1
