// `npm test`: installs what is missing, checks (types, lint, format, unused code), builds, and runs every level of tests on a stack of its
// own. Arguments go to jest, which then runs once. The last line is always `N passed, N failed`.
import { spawn } from 'node:child_process'
import { checkNode, installIfStale, root, run } from './prepare.mjs'

const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']
// Most tests wait more than they work, so two go on at a time; those that run and break the whole system have the machine for themselves.
const RUNS = [
  ['--selectProjects', 'unit', 'int', 'e2e', 'faults', '--maxWorkers', '2'],
  ['--selectProjects', 'system', '--runInBand'],
]

const args = process.argv.slice(2)
const runs = args.every((arg) => arg === '--ci') ? RUNS : [[]]
const sums = { passed: 0, failed: 0 }

checkNode()
if (installIfStale() && installIfStale('tools') && run('npm', ['run', '--silent', 'check'])) {
  for (const more of runs) await runJest([...args, ...more])
} else {
  process.stderr.write('The check failed, so no test was run.\n')
  sums.failed = 1
}
process.stdout.write(`${sums.passed} passed, ${sums.failed} failed\n`)
process.exitCode = sums.failed === 0 ? 0 : 1

/** What jest says of tests goes to standard error. The last line of its standard output has their numbers, whatever happens. */
async function runJest(options) {
  const jest = spawn(process.execPath, [...JEST, ...options], { cwd: root, stdio: ['inherit', 'pipe', 'inherit'] })
  let output = ''
  jest.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await new Promise((resolve) => jest.on('close', resolve))
  const [line = '', passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? []
  process.stdout.write(output.slice(0, output.length - line.length))
  sums.passed += Number(passed ?? 0)
  sums.failed += Math.max(Number(failed ?? 0), code === 0 && passed !== undefined ? 0 : 1)
}
