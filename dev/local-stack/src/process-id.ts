import { execFile } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/**
 * Writes down which process runs a part: its id and when it was born, so that another process that gets the same id later is not
 * taken for it.
 */
export async function writeProcessId(file: string, pid: number): Promise<void> {
  writeFileSync(file, `${pid} ${await bornAt(pid)}\n`)
}

/**
 * Waits until the process that `file` names has ended; kills it with SIGKILL after `patienceMs`. Returns immediately for a missing
 * file, an ended process and another process with the same id. Afterwards the file is removed.
 */
export async function awaitPreviousProcess(file: string, patienceMs: number): Promise<void> {
  const written = existsSync(file) ? readFileSync(file, 'utf8').trim() : ''
  const pid = Number(written.split(' ', 1)[0])
  for (const end = Date.now() + patienceMs; await isSame(pid, written); await delay(50)) {
    if (Date.now() >= end) signal(pid, 'SIGKILL')
  }
  rmSync(file, { force: true })
}

/** Sends `name` to a process; false if it has ended. */
export function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name)
  } catch {
    return false
  }
}

/** SIGSTOP to a process and its descendants; the process itself is first, so that it starts no more. */
export function stopTree(pid: number): void {
  signal(pid, 'SIGSTOP')
  for (const child of childrenOf(pid)) signal(child, 'SIGSTOP')
}

/**
 * SIGCONT to a process and its descendants. The process itself is last: the list of children is complete only while it neither
 * starts nor reaps one (proc(5)), and a missed child would stay stopped, with the locks that it holds.
 */
export function continueTree(pid: number): void {
  for (const child of childrenOf(pid)) signal(child, 'SIGCONT')
  signal(pid, 'SIGCONT')
}

/** proc(5): a process's own children; none where there is no such file. */
function childrenOf(pid: number): readonly number[] {
  try {
    const ids = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    return ids === '' ? [] : ids.split(' ').map(Number)
  } catch {
    return []
  }
}

async function isSame(pid: number, written: string): Promise<boolean> {
  return pid > 0 && `${pid} ${await bornAt(pid)}` === written
}

async function bornAt(pid: number): Promise<string> {
  if (process.platform === 'linux') {
    // proc(5): field 22, start time in clock ticks since boot; field 2 may hold spaces and ends with the last bracket. A zombie
    // (state Z) has ended.
    const stat = existsSync(`/proc/${pid}/stat`) ? readStat(pid) : ''
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? 'gone' : (fields[19] ?? 'gone')
  }
  const { stdout } = await execute('ps', ['-o', 'lstart=', '-p', String(pid)]).catch(() => ({ stdout: 'gone' }))
  return stdout.trim()
}

function readStat(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return '' // It ended between the two reads.
  }
}
