import { spawn } from 'node:child_process'
import { root } from './prepare.mjs'

const JEST = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js']

/** All levels, as two runs. Most tests wait more than they work, so two run at a time; those of `system` need the machine alone. */
export const ALL_LEVELS = [
  ['--selectProjects', 'unit', 'int', 'e2e', 'faults', '--maxWorkers', '2'],
  ['--selectProjects', 'system', '--runInBand'],
]

/**
 * Runs jest once. Its reports go to standard error; the last line of its standard output has the counts, whatever happens.
 * @returns `{ passed, failed }`. A failure that no test explains counts as one.
 */
export async function runJest(options, env = {}) {
  const jest = spawn(process.execPath, [...JEST, ...options], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['inherit', 'pipe', 'inherit'],
  })
  let output = ''
  jest.stdout.setEncoding('utf8').on('data', (text) => (output += text))
  const code = await new Promise((resolve) => jest.on('close', resolve))
  const [line = '', passed, failed] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? []
  process.stdout.write(output.slice(0, output.length - line.length))
  return {
    passed: Number(passed ?? 0),
    failed: Math.max(Number(failed ?? 0), code === 0 && passed !== undefined ? 0 : 1),
  }
}
