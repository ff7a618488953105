import { spawn as spawnProcess } from 'node:child_process'
import { once } from 'node:events'
import { spawn as spawnPty } from '@lydell/node-pty'
import xterm from '@xterm/headless'

/** How to run the command line. */
export interface CliOptions {
  /** The program, as `installCli` gives it. */
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** A run through pipes. */
export interface PipedCli {
  readonly pid: number
  /** What it has printed so far. */
  stdout(): string
  stderr(): string
  kill(signal?: NodeJS.Signals): void
  /** The exit code, or the signal that ended it, once all that it printed is read. */
  readonly exited: Promise<number | NodeJS.Signals>
}

/** Runs it with pipes; `input` is all of its standard input. */
export function startPiped({ program, args, env }: CliOptions, input = ''): PipedCli {
  const child = spawnProcess(process.execPath, [program, ...args], { env: environment(env) })
  const printed = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => (printed[name] += text))
  }
  child.stdin.on('error', () => undefined).end(input)
  const exited = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>
  return {
    pid: child.pid ?? 0,
    stdout: () => printed.stdout,
    stderr: () => printed.stderr,
    kill: (signal = 'SIGKILL') => void child.kill(signal),
    exited: exited.then(([code, signal]) => code ?? signal ?? 'SIGKILL'),
  }
}

/** A run in a pseudo-terminal. */
export interface TerminalCli {
  readonly pid: number
  /** The lines of the screen and of what has left it, without spaces at their ends. */
  lines(): Promise<readonly string[]>
  /** The last line that is not empty: of `listen` the status. */
  status(): Promise<string>
  /** Types. */
  type(text: string): void
  resize(columns: number, rows: number): void
  kill(signal?: NodeJS.Signals): void
  /** The exit code, 0 after a signal. */
  readonly exited: Promise<number>
}

/** Runs it in a terminal of 120 columns and 30 rows. */
export function startInTerminal({ program, args, env }: CliOptions, size = { cols: 120, rows: 30 }): TerminalCli {
  const options = { ...size, name: 'xterm-256color', env: { ...environment(env) } }
  const pty = spawnPty(process.execPath, [program, ...args], options)
  const screen = new xterm.Terminal({ ...size, allowProposedApi: true, scrollback: 100_000 })
  let written: Promise<void> = Promise.resolve()
  pty.onData((text) => {
    const before = written
    written = new Promise((resolve) => void before.then(() => screen.write(text, resolve)))
  })
  const exited = new Promise<number>((resolve) => pty.onExit(({ exitCode }) => resolve(exitCode)))

  const lineAt = (at: number): string => screen.buffer.active.getLine(at)?.translateToString(true) ?? ''

  async function lines(): Promise<readonly string[]> {
    await written
    return Array.from({ length: screen.buffer.active.length }, (_, at) => lineAt(at))
  }

  async function status(): Promise<string> {
    await written
    let at = screen.buffer.active.length - 1
    while (at > 0 && lineAt(at) === '') at -= 1
    return lineAt(at)
  }
  return {
    pid: pty.pid,
    lines,
    status,
    type: (text) => pty.write(text),
    resize(columns, rows) {
      screen.resize(columns, rows)
      pty.resize(columns, rows)
    },
    kill: (signal = 'SIGKILL') => {
      try {
        process.kill(pty.pid, signal)
      } catch {
        // It has ended already.
      }
    },
    exited,
  }
}

/** Of the environment of the tests only the path. */
function environment(env: Readonly<Record<string, string>>): Record<string, string> {
  return { PATH: process.env['PATH'] ?? '', TZ: 'UTC', ...env }
}
