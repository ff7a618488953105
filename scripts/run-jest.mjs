import { spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { root } from './prepare.mjs'

const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']

/** All levels, as two runs. Most tests wait more than they work, so four run at a time on two cores; those of `system` need the machine alone. */
export const ALL_LEVELS = [
  ['--selectProjects', 'unit', 'int', 'e2e', 'faults', '--maxWorkers', '4'],
  ['--selectProjects', 'system', '--runInBand'],
]

/** At most this many failed files are run again: one busy moment can affect as many, since so many run at a time. */
const SECOND_TRIES_MAX = 4

/** A wait or a test that ran out of time, in the words of `eventually` and of jest. */
const TOO_LATE = /After \d+ ms the check still|Exceeded timeout of \d+ ms/

/** So much of a failure's message is printed at the end of a run, in characters. */
const MESSAGE_MAX = 300

/**
 * Runs jest once, on this Node or another one. Its reports are on standard error; the last line of its standard output always has
 * the counts.
 * @returns `{ passed, failed, files }`: a failure that no test explains counts as one; `files` are those with failures, each
 * `{ path, passed, failed, messages }`.
 */
export async function runJest(options, env = {}, node = process.execPath) {
  const folder = mkdtempSync(join(tmpdir(), 'ariftly-results-'))
  const report = join(folder, 'results.json')
  const jest = spawn(node, [...JEST, ...options, '--json', '--outputFile', report], {
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
 * Runs jest, and the failed files again, alone and with the same seeds, if only a few files of the levels `int` and `e2e` failed,
 * or of another level with timeouts only: they share a busy machine, and a timeout may have been too short. A failed unit test
 * depends on its seed alone, and a failed fault test is a broken promise, so these are not run again. A lost event times out as
 * well: files that needed a second run are printed with their failure, and must be investigated.
 * @returns `{ passed, failed }`.
 */
export async function runWithSecondTry(options, node = process.execPath) {
  const env = { TEST_RUN_SEED: String(randomInt(2 ** 31)) }
  const first = await runJest(options, env, node)
  const { files } = first
  printFailures(files)
  const explained = files.reduce((sum, { failed }) => sum + failed, 0) === first.failed
  if (first.failed === 0 || !explained || !files.every(maySucceedAlone) || files.length > SECOND_TRIES_MAX) return first
  const paths = files.map(({ path }) => path)
  process.stdout.write(`Failed, and tried a second time: ${paths.join(', ')}\n`)
  const levels = ['--selectProjects', 'unit', 'int', 'e2e', 'faults', 'system', '--runInBand']
  const second = await runJest([...levels, '--runTestsByPath', ...paths], env, node)
  printFailures(second.files)
  if (second.failed === 0) process.stdout.write(`Passed at the second try: ${paths.join(', ')}\n`)
  const passedBefore = files.reduce((sum, { passed }) => sum + passed, 0)
  return { passed: first.passed - passedBefore + second.passed, failed: second.failed }
}

function maySucceedAlone({ path, messages }) {
  return /\.(int|e2e)\.test\.ts$/.test(path) || messages.every((message) => TOO_LATE.test(message))
}

function printFailures(files) {
  for (const { path, messages } of files) {
    for (const message of messages) process.stdout.write(`Failed: ${path}: ${message.slice(0, MESSAGE_MAX)}\n`)
  }
}

function failedFiles({ testResults }) {
  return testResults
    .filter(({ status }) => status === 'failed')
    .map(({ name, message, assertionResults }) => {
      const of = (status) => assertionResults.filter((result) => result.status === status)
      const messages = of('failed').map(({ fullName, failureMessages }) =>
        oneLine(`${fullName}: ${failureMessages[0]}`),
      )
      // A file that could not run at all counts as one failure.
      if (messages.length === 0) messages.push(oneLine(message))
      return { path: relative(root, name), passed: of('passed').length, failed: messages.length, messages }
    })
}

function oneLine(text) {
  return stripVTControlCharacters(text)
    .split(/\n\s+at /, 1)[0]
    .replaceAll(/\s+/g, ' ')
}
