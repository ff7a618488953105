import { readFileSync } from 'node:fs'

/**
 * Whether a process and its descendants are stopped: state T of proc(5), or Z, a session of Postgres that ended just before its
 * postmaster was stopped and is reaped once that continues.
 * @throws Error when one of them has ended between the two reads.
 */
export function isStopped(pid: number): boolean {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  const states = [pid, ...(children === '' ? [] : children.split(' '))].map(stateOf)
  return states[0] === 'T' && states.every((state) => state === 'T' || state === 'Z')
}

/**
 * The state of a process, one character: field 3 of proc(5); field 2 may hold spaces and ends with the last bracket.
 * @throws Error when it has ended.
 */
export function stateOf(pid: number | string): string | undefined {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  return stat.slice(stat.lastIndexOf(')') + 2)[0]
}
