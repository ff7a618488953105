import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** The output so far of a running command. */
export interface Output {
  readonly child: ChildProcess
  readonly text: string
  readonly errors: string
}

/** A shell as a person has it, in one folder, with nothing of the test run in its environment. */
export interface Shell {
  /**
   * Runs a script to its end, and gives its standard output.
   * @throws Error with what it wrote when it ends otherwise than with 0 or takes longer than two minutes.
   */
  run(script: string): Promise<string>
  /** Starts a command that runs until it is stopped; it gets the signals that are sent to `child`. */
  start(command: string, env?: Readonly<Record<string, string>>, cwd?: string): Output
  /** Kills the started commands and their descendants. */
  close(): void
}

/** A shell whose scripts run in `folder`. */
export function createShell(folder: string): Shell {
  const children: ChildProcess[] = []
  return {
    async run(script) {
      const options = { cwd: folder, env: withoutTests(), timeout: 120_000, maxBuffer: 16 * 1024 * 1024 }
      return (await execute('/bin/sh', ['-c', script], options)).stdout
    },
    start(command, env = {}, cwd = folder) {
      const child = spawn(command, {
        shell: '/bin/sh',
        cwd,
        env: { ...withoutTests(), ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        detached: true,
      })
      children.push(child)
      const output = { child, text: '', errors: '' }
      child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (output.text += chunk))
      child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (output.errors += chunk))
      return output
    },
    close() {
      for (const { pid } of children) killGroup(pid)
    },
  }
}

function killGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // It has ended.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function withoutTests(): NodeJS.ProcessEnv {
  const { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME } = process.env
  return { PATH, HOME, JAVA_HOME, XDG_CACHE_HOME }
}
