import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { constants } from 'node:os'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { StackFault } from './fault.ts'

/** A program to run; `uid` and `gid` only where this process is root. */
export interface Command {
  readonly file: string
  readonly args: readonly string[]
  readonly cwd?: string
  /** The whole environment; default: this process's. */
  readonly env?: Readonly<NodeJS.ProcessEnv>
  readonly uid?: number
  readonly gid?: number
}

/** How a program ends when this process ends without stopping it. */
export interface Death {
  /** The signal that it gets first; SIGKILL follows after `graceMs`. */
  readonly signal: NodeJS.Signals
  readonly graceMs: number
  /** A part's folder in its stack's folder, removed afterwards: only for data that is not needed again. */
  readonly remove?: string
}

/** A program under supervision. `pid` is the program's own, not the supervisor's. */
export interface Supervised {
  readonly pid: number
  /** Resolves when the program has ended; the code is 128 + the number of the signal if one ended it. */
  readonly exited: Promise<number>
  /** The same code, undefined while the program runs. */
  exitCode(): number | undefined
}

// The supervisor. Standard input is a pipe that only our process holds open for writing: its end means that our process has
// ended, by any cause. It runs in its own session, so neither Ctrl-C in the terminal nor the kill of our process group reaches it
// or the program. It needs only POSIX and a `sleep` with fractions.
const SUPERVISOR = `
death=$1; tenths=$2; remove=$3; shift 3
exec 3<&0 </dev/null
"$@" 3<&- 4>&- &
child=$!
echo "$child" >&4
exec 4>&-
(
  read -r _ <&3
  [ -z "$remove" ] || : >"$remove/.abandoned"
  kill -"$death" "$child"
  i=0
  while [ "$i" -lt "$tenths" ] && kill -0 "$child"; do sleep 0.1; i=$((i + 1)); done
  kill -KILL "$child"
) >/dev/null 2>&1 &
watcher=$!
exec 3<&-
wait "$child"
code=$?
kill -KILL "$watcher" 2>/dev/null
if [ -n "$remove" ] && [ -e "$remove/.abandoned" ]; then
  sleep 0.5
  rm -rf "$remove"
  # The last of the three takes the folder of the stack along.
  cd "$(dirname "$remove")" && [ ! -e kafka ] && [ ! -e postgres ] && [ ! -e redis ] && rm -rf "$PWD"
fi
exit "$code"
`

/**
 * Starts a program that ends with this process, even when this process is killed with SIGKILL: a small shell between the two waits
 * for the end of a pipe. Output is appended to `logFile`.
 * @throws StackFault when the program's supervisor cannot be started.
 */
export async function startSupervised(command: Command, death: Death, logFile: string): Promise<Supervised> {
  const log = openSync(logFile, 'a')
  try {
    const child = spawnSupervisor(command, death, log)
    let code: number | undefined
    const exited = new Promise<number>((resolve) => {
      child.once('exit', (value) => {
        code = value ?? 128 + constants.signals.SIGKILL
        resolve(code)
      })
    })
    await once(child, 'spawn')
    const pid = await readPid(child.stdio[4] as Readable)
    if (pid === undefined) throw new StackFault(`${command.file} could not be started; see ${logFile}.`)
    return { pid, exited, exitCode: () => code }
  } finally {
    closeSync(log)
  }
}

/**
 * Runs a program to its end, supervised in the same way. Standard input is empty.
 * @returns the exit code; output is at the end of `logFile`.
 */
export async function runSupervised(command: Command, logFile: string): Promise<number> {
  const { exited } = await startSupervised(command, { signal: 'SIGTERM', graceMs: 1000 }, logFile)
  return exited
}

function spawnSupervisor(command: Command, death: Death, log: number): ChildProcess {
  const { file, args, cwd, env, uid, gid } = command
  const settings = [death.signal.replace(/^SIG/, ''), String(Math.ceil(death.graceMs / 100)), death.remove ?? '']
  const child = spawn('/bin/sh', ['-c', SUPERVISOR, 'ariftly-supervisor', ...settings, file, ...args], {
    detached: true,
    stdio: ['pipe', log, log, 'ignore', 'pipe'],
    env: env ?? process.env,
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  child.stdin?.on('error', () => undefined) // The program ended first.
  return child
}

async function readPid(stream: Readable): Promise<number | undefined> {
  for await (const line of createInterface({ input: stream })) {
    const pid = Number(line)
    return Number.isInteger(pid) && pid > 0 ? pid : undefined
  }
  return undefined
}
