// `npm test`: installs what is missing, checks (types, lint, format, unused code), builds, and runs every level of tests on its own
// stack. Arguments are passed to jest, which then runs once. `runWithSecondTry` says which files are run again. The last line is
// always `N passed, N failed`.
import { buildConsoleIfStale, checkNode, installIfStale, run } from './prepare.mjs'
import { ALL_LEVELS, runWithSecondTry } from './run-jest.mjs'

const args = process.argv.slice(2)
const runs = args.every((arg) => arg === '--ci') ? ALL_LEVELS : [[]]
const sums = { passed: 0, failed: 0 }

checkNode()
if (
  (await installIfStale('.', 'tools')) &&
  (await Promise.all([run('npm', ['run', '--silent', 'check']), buildConsoleIfStale()])).every(Boolean)
) {
  for (const more of runs) {
    const { passed, failed } = await runWithSecondTry([...args, ...more])
    sums.passed += passed
    sums.failed += failed
  }
} else {
  process.stderr.write('The check failed, so no test was run.\n')
  sums.failed = 1
}
process.stdout.write(`${sums.passed} passed, ${sums.failed} failed\n`)
process.exitCode = sums.failed === 0 ? 0 : 1
