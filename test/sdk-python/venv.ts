import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ROOT } from '../docs/markdown.ts'

const execute = promisify(execFile)
const CACHE = join(ROOT, '.cache/python')
const INSTALL_MS = 300_000

/** The folder of the Python SDK. */
export const SDK = join(ROOT, 'packages/sdk-python')

/** A virtual environment of Python. */
export interface Venv {
  readonly python: string
  /** What its programs need beside the environment of this process. */
  readonly env: Readonly<Record<string, string>>
  /** Runs Python to its end in the SDK's folder, and gives its standard output. @throws Error with all that the program wrote. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>, timeoutMs?: number): Promise<string>
}

/** The environment of the tests, which is made the first time, with packages by hash; `PYTHONPATH` has the sources of the SDK. */
export async function testVenv(requirements: string = join(SDK, 'requirements-test.txt')): Promise<Venv> {
  const lock = readFileSync(requirements)
  const version = await pythonVersion()
  const name = `venv-${createHash('sha256').update(lock).update(version).digest('hex').slice(0, 12)}`
  const folder = join(CACHE, name)
  if (!existsSync(folder)) {
    mkdirSync(CACHE, { recursive: true })
    const work = mkdtempSync(join(CACHE, `${name}.`))
    try {
      const venv = await createVenv(work)
      await venv.run(installArgs(requirements), {}, INSTALL_MS)
      renameSync(work, folder)
    } catch (error) {
      rmSync(work, { recursive: true, force: true })
      // Another test may have been faster.
      if (!existsSync(folder)) throw error
    }
  }
  return venvOf(folder, { PYTHONPATH: join(SDK, 'src') })
}

/** A new, empty environment. @throws Error that says how to install what is missing. */
export async function createVenv(folder: string): Promise<Venv> {
  await pythonVersion()
  try {
    await execute('python3', ['-m', 'venv', folder], { timeout: INSTALL_MS })
  } catch (cause) {
    throw new Error(`The Python SDK cannot be tested without venv: apt-get install python3-venv. ${textOf(cause)}`, {
      cause,
    })
  }
  return venvOf(folder, {})
}

/** Arguments that install what a file lists, by hash. */
export function installArgs(requirements: string): readonly string[] {
  const flags = ['--quiet', '--disable-pip-version-check', '--no-compile', '--require-hashes', '--only-binary', ':all:']
  return ['-m', 'pip', 'install', ...flags, '-r', requirements]
}

async function pythonVersion(): Promise<string> {
  const check = 'import sys; print(sys.version); assert sys.version_info >= (3, 10)'
  try {
    return (await execute('python3', ['-c', check])).stdout
  } catch (cause) {
    throw new Error(
      `The Python SDK needs Python 3.10 or newer: apt-get install python3 python3-venv. ${textOf(cause)}`,
      {
        cause,
      },
    )
  }
}

function venvOf(folder: string, own: Readonly<Record<string, string>>): Venv {
  const python = join(folder, 'bin/python')
  return {
    python,
    env: own,
    async run(args, env = {}, timeoutMs = 120_000) {
      const { PATH, HOME, CI } = process.env
      const all = { PATH, HOME, CI, PYTHONUNBUFFERED: '1', ...own, ...env }
      try {
        const options = { cwd: SDK, env: all, timeout: timeoutMs, maxBuffer: 64 * 1024 * 1024 }
        return (await execute(python, args, options)).stdout
      } catch (cause) {
        throw new Error(`python ${args.join(' ')}: ${textOf(cause)}`, { cause })
      }
    },
  }
}

function textOf(error: unknown): string {
  const { stdout = '', stderr = '', message } = error as { stdout?: string; stderr?: string; message: string }
  return `${stdout}${stderr}`.trim() || message
}
