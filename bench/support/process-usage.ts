import { readFileSync } from 'node:fs'

/** Clock ticks a second in `/proc/<pid>/stat`; 100 on every Linux of today. */
const TICKS_PER_S = 100

/** Seconds of processor time, user and kernel, that processes have used, all their threads included: the kernel's own accounting. */
export function cpuSecondsOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + ticksOf(pid), 0) / TICKS_PER_S
}

/** The same of a process and its children, those included that have ended and were waited for: of Postgres with all its backends. */
export function cpuSecondsOfFamily(pid: number): number {
  const [, , ended, endedKernel] = tickFieldsOf(pid)
  return cpuSecondsOf([pid, ...childrenOf(pid)]) + (ended + endedKernel) / TICKS_PER_S
}

/** Resident memory of processes, KiB. */
export function residentKbOf(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
    return sum + Number(match?.[1] ?? 0)
  }, 0)
}

/** The children of a process. */
export function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? [] : text.split(' ').map(Number)
}

/** The machine's load over the last minute, reported as it affects all other figures. */
export function loadAverage(): number {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0])
}

function ticksOf(pid: number): number {
  const [user, kernel] = tickFieldsOf(pid)
  return user + kernel
}

/** User and kernel, of the process and of its children that were waited for. */
function tickFieldsOf(pid: number): [number, number, number, number] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // The name, in brackets, may hold anything.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return [Number(fields[11]), Number(fields[12]), Number(fields[13]), Number(fields[14])]
}
