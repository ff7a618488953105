import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually, findFreePort } from '@ariftly/testkit'

/** A clone of this repository's HEAD, in which nothing is installed or built. */
export interface Checkout {
  /** `npm start`, as a person types it; resolves when the key is printed. */
  start(): Promise<StartedProduct>
  remove(): void
}

/** The product as it runs after `npm start`. */
export interface StartedProduct {
  /** From the command to the printed key. */
  readonly tookS: number
  /** npm itself; the services and their Kafka, Postgres and Redis are its descendants. */
  readonly pid: number
  readonly url: string
  readonly apiKey: string
  readonly databaseUrl: string
  /** Ctrl-C: the signal goes to npm and to what it runs, as a terminal sends it. Resolves with the time until npm had ended. */
  interrupt(): Promise<number>
}

const ROOT = join(import.meta.dirname, '../..')
const START_MS = 300_000
const STOP_MS = 20_000

/** Clones it into a temporary folder. */
export function cloneHead(): Checkout {
  const folder = mkdtempSync(join(tmpdir(), 'ariftly-system-'))
  const { status, stderr } = spawnSync('git', ['clone', '--quiet', ROOT, folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`git clone failed: ${stderr}`)
  return {
    start: () => npmStart(folder),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 10 }),
  }
}

async function npmStart(folder: string): Promise<StartedProduct> {
  const { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME } = process.env
  const env = { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME, PORT: String(await findFreePort()) }
  const startedMs = performance.now()
  const child = spawn('npm', ['start'], { cwd: folder, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const exited = once(child, 'exit')
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  try {
    await eventually('npm start says that it runs', () => isUp(child, text), { timeoutMs: START_MS, everyMs: 10 })
  } catch (error) {
    signalGroup(child, 'SIGINT')
    throw new Error(`npm start did not become ready:\n${text}`, { cause: error })
  }
  const tookS = (performance.now() - startedMs) / 1000
  const stack = JSON.parse(readFileSync(join(folder, '.data/stack.json'), 'utf8')) as { readonly postgres: string }

  async function interrupt(): Promise<number> {
    const sentMs = performance.now()
    signalGroup(child, 'SIGINT')
    const late = setTimeout(() => signalGroup(child, 'SIGKILL'), STOP_MS)
    await exited
    clearTimeout(late)
    return (performance.now() - sentMs) / 1000
  }

  return {
    tookS,
    pid: child.pid ?? 0,
    url: found(/Base URL {2}(\S+)/, text),
    apiKey: found(/API key {3}(\S+)/, text),
    databaseUrl: stack.postgres,
    interrupt,
  }
}

function isUp(child: ChildProcess, text: string): boolean {
  if (child.exitCode !== null) throw new Error(`npm ended with ${child.exitCode}`)
  return text.includes('Ctrl-C stops everything')
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null) return
  process.kill(-child.pid, signal)
}

function found(pattern: RegExp, text: string): string {
  return pattern.exec(text)?.[1] ?? ''
}
