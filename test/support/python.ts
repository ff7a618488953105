import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../docs/markdown.ts'

const execute = promisify(execFile)
const CACHE = join(ROOT, '.cache/python')
const INSTALL_MS = 300_000

/** The folder of some packages of PyPI (`name==version`), which pip fetches the first time. */
async function pythonPackages(packages: readonly string[]): Promise<string> {
  const name = createHash('sha256').update(packages.join(' ')).digest('hex').slice(0, 12)
  const folder = join(CACHE, name)
  if (existsSync(folder)) return folder
  mkdirSync(CACHE, { recursive: true })
  const work = mkdtempSync(join(CACHE, `${name}.`))
  const args = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--no-compile',
    '--target',
    work,
    ...packages,
  ]
  try {
    await execute('python3', args, { timeout: INSTALL_MS })
    renameSync(work, folder)
  } catch (error) {
    rmSync(work, { recursive: true, force: true })
    // Another test may have been faster.
    if (!existsSync(folder)) throw error
  }
  return folder
}

/** What a Python program runs with. */
export interface PythonProgram {
  /** The program and its arguments, as after `python3`. */
  readonly args: readonly string[]
  /** Packages of PyPI. */
  readonly packages: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** The folder to run in; default: the tests' folder. */
  readonly cwd?: string
}

/**
 * Runs a Python program to its end and gives its standard output.
 * @throws Error with what the program wrote when it fails or takes longer than `timeoutMs`.
 */
export async function runPython({ args, packages, env = {}, cwd }: PythonProgram, timeoutMs = 60_000): Promise<string> {
  const options = {
    env: await environment(packages, env),
    timeout: timeoutMs,
    maxBuffer: 64 * 1024 * 1024,
    ...(cwd === undefined ? {} : { cwd }),
  }
  return (await execute('python3', args, options)).stdout
}

async function environment(
  packages: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<NodeJS.ProcessEnv> {
  const { PATH, HOME } = process.env
  return { PATH, HOME, PYTHONPATH: await pythonPackages(packages), PYTHONUNBUFFERED: '1', ...env }
}
