import { existsSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { StackFault } from './fault.ts'
import { findFreePort, isPortFree } from './ports.ts'
import { awaitPreviousProcess, continueTree, signal, stopTree, writeProcessId } from './process-id.ts'
import { startSupervised, type Command, type Death, type Supervised } from './supervise.ts'

/** The three parts of a stack. */
export type PartName = 'kafka' | 'postgres' | 'redis'

/** One server of the stack. All ways to end and start it keep its port and its data. */
export interface Part {
  readonly name: PartName
  readonly port: number
  /** The server's own process (of Postgres: the postmaster); changes with each start. */
  readonly pid: number
  readonly running: boolean
  /** Starts it again after `stop` or `kill` and resolves when it answers; nothing happens if it runs. */
  start(): Promise<void>
  /** Stops it cleanly and resolves when it has ended. */
  stop(): Promise<void>
  /** `stop`, then `start`. */
  restart(): Promise<void>
  /** Ends it by a signal (default SIGKILL) and resolves when it has ended. */
  kill(name?: 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGQUIT'): Promise<void>
  /** SIGSTOP to all of its processes (Postgres has one for each connection): it keeps its connections and answers nothing. */
  pause(): void
  /** SIGCONT. */
  resume(): void
}

/** What differs between the parts. */
export interface PartSpec {
  readonly name: PartName
  /** The folder of its data, log and settings; it exists. */
  readonly dir: string
  /** The port that it had before, if any; used again if it is free. */
  readonly port?: number | undefined
  /** The signal of an orderly end. */
  readonly stopSignal: NodeJS.Signals
  readonly death: Death
  /** Writes what the server needs to listen on `port`, and says how to run it. */
  prepare(port: number): Promise<Command>
  /** Asks the server once whether it works; false while it does not, or not yet. */
  probe(port: number): Promise<boolean>
  /** Called when the server ends without having been asked to. */
  onExit?(detail: string): void
}

const PORT_TRIES = 4
const START_MS = 60_000
const PREVIOUS_MS = 8000
const STOP_MS = 8000

/**
 * Starts one server and waits until it answers. Waits first for the server's previous process, left by a killed run. If another
 * process takes the port meanwhile, another port is used.
 * @throws StackFault that ends with the last lines of the server's log.
 */
export async function startPart(spec: PartSpec): Promise<Part> {
  await awaitPreviousProcess(join(spec.dir, 'pid'), PREVIOUS_MS)
  rmSync(logFileOf(spec), { force: true })
  for (let attempt = 1; ; attempt++) {
    const port = await choosePort(attempt === 1 ? spec.port : undefined)
    const outcome = await launch(spec, port, START_MS)
    if (outcome.type === 'up') return createPart(spec, port, outcome.process)
    if (attempt === PORT_TRIES || (await isPortFree(port))) throw failure(spec, outcome.detail)
  }
}

function createPart(spec: PartSpec, port: number, first: Supervised): Part {
  let current = first
  let running = false
  let asked = false
  adopt(first)

  function adopt(process: Supervised): void {
    current = process
    running = true
    asked = false
    void watch(process)
  }

  async function watch(process: Supervised): Promise<void> {
    const code = await process.exited
    if (current !== process) return
    running = false
    if (!asked) spec.onExit?.(`${spec.name} ended with code ${code}.${tail(logFileOf(spec))}`)
  }

  async function start(): Promise<void> {
    if (running) return
    // Right after a kill the remains of the server (children of Postgres) may still be there: it is started until it stays.
    for (const end = Date.now() + START_MS; ; await delay(200)) {
      const outcome = await launch(spec, port, START_MS)
      if (outcome.type === 'up') {
        adopt(outcome.process)
        return
      }
      if (Date.now() > end) throw failure(spec, outcome.detail)
    }
  }

  async function kill(name: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (!running) return
    asked = true
    signal(current.pid, name)
    if (name !== 'SIGKILL') signal(current.pid, 'SIGCONT') // A paused server would not see it.
    const timer = setTimeout(() => signal(current.pid, 'SIGKILL'), STOP_MS)
    await current.exited
    clearTimeout(timer)
    running = false
  }

  async function restart(): Promise<void> {
    await kill(spec.stopSignal)
    await start()
  }

  return {
    name: spec.name,
    port,
    get pid() {
      return current.pid
    },
    get running() {
      return running
    },
    start,
    stop: () => kill(spec.stopSignal),
    restart,
    kill,
    pause: () => stopTree(current.pid),
    resume: () => continueTree(current.pid),
  }
}

type Launch =
  { readonly type: 'up'; readonly process: Supervised } | { readonly type: 'failed'; readonly detail: string }

async function launch(spec: PartSpec, port: number, patienceMs: number): Promise<Launch> {
  const process = await startSupervised(await spec.prepare(port), spec.death, logFileOf(spec))
  await writeProcessId(join(spec.dir, 'pid'), process.pid)
  for (const end = Date.now() + patienceMs; Date.now() < end; await delay(25)) {
    if (process.exitCode() !== undefined) return { type: 'failed', detail: `it ended with code ${process.exitCode()}` }
    if (await spec.probe(port)) return { type: 'up', process }
  }
  signal(process.pid, 'SIGKILL')
  await process.exited
  return { type: 'failed', detail: `it did not answer within ${patienceMs / 1000} s` }
}

async function choosePort(wanted: number | undefined): Promise<number> {
  return wanted !== undefined && (await isPortFree(wanted)) ? wanted : findFreePort()
}

function logFileOf(spec: PartSpec): string {
  return join(spec.dir, 'log')
}

function failure(spec: PartSpec, detail: string): StackFault {
  const log = logFileOf(spec)
  const folder = dirname(spec.dir)
  return new StackFault(`${spec.name} could not be started under ${folder}: ${detail}.${tail(log)}`)
}

function tail(file: string): string {
  if (!existsSync(file)) return ''
  const lines = readFileSync(file, 'utf8').trimEnd().split('\n').slice(-12)
  return ` Its log (${file}) ends with:\n  ${lines.join('\n  ')}`
}
