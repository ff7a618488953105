import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { root } from './prepare.mjs'

const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']

/** All levels, as two runs. Most tests wait more than they work, so three run at a time on two cores; those of `system` need the machine alone. */
export const ALL_LEVELS = [
  ['--selectProjects', 'unit', 'int', 'e2e', 'faults', '--maxWorkers', '3'],
  ['--selectProjects', 'system', '--runInBand'],
]

/** So many files that failed get a second try; more of them are no chance. */
const SECOND_TRIES_MAX = 2

/**
 * Runs jest once. Its reports go to standard error; the last line of its standard output has the counts, whatever happens.
 * @returns `{ passed, failed, files }`: a failure that no test explains counts as one; `files` are those with failures, each
 * `{ path, passed, failed }`.
 */
export async function runJest(options, env = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'ariftly-results-'))
  const report = join(folder, 'results.json')
  const jest = spawn(process.execPath, [...JEST, ...options, '--json', '--outputFile', report], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['inherit', 'pipe', 'inherit'],
  })
  let output = ''
  jest.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await new Promise((resolve) => jest.on('close', resolve))
  const files = existsSync(report) ? failedFiles(JSON.parse(readFileSync(report, 'utf8'))) : []
  rmSync(folder, { recursive: true })
  const [line = '', passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? []
  process.stdout.write(output.slice(0, output.length - line.length))
  return {
    passed: Number(passed ?? 0),
    failed: Math.max(Number(failed ?? 0), code === 0 && passed !== undefined ? 0 : 1),
    files,
  }
}

/**
 * Runs jest, and the files that failed once more, alone and with the same seeds, if all that failed are one or two files of the levels
 * `int` and `e2e`: they share a busy machine, and a wait of theirs may have been too short. Unit tests depend on nothing but their seed,
 * and a fault test asserts the promises of the system, so these get no second try. What needed one is printed.
 * @returns `{ passed, failed }`.
 */
export async function runWithSecondTry(options) {
  const env = { TEST_RUN_SEED: String(randomInt(2 ** 31)) }
  const first = await runJest(options, env)
  const { files } = first
  const explained = files.reduce((sum, { failed }) => sum + failed, 0) === first.failed
  const eligible = files.every(({ path }) => /\.(int|e2e)\.test\.ts$/.test(path))
  if (first.failed === 0 || !explained || !eligible || files.length > SECOND_TRIES_MAX) return first
  const paths = files.map(({ path }) => path)
  process.stdout.write(`Failed, and tried a second time: ${paths.join(', ')}\n`)
  const second = await runJest(['--selectProjects', 'int', 'e2e', '--runInBand', '--runTestsByPath', ...paths], env)
  if (second.failed === 0) process.stdout.write(`Passed at the second try: ${paths.join(', ')}\n`)
  const passedBefore = files.reduce((sum, { passed }) => sum + passed, 0)
  return { passed: first.passed - passedBefore + second.passed, failed: second.failed }
}

/** A file that could not run at all counts as one failure. */
function failedFiles({ testResults }) {
  return testResults
    .filter(({ status }) => status === 'failed')
    .map(({ name, assertionResults }) => {
      const count = (status) => assertionResults.filter((result) => result.status === status).length
      return { path: relative(root, name), passed: count('passed'), failed: Math.max(1, count('failed')) }
    })
}
