import { readFileSync, readlinkSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'

/** Another process, or this one, has a lock. */
export class LockHeldError extends Error {
  /** The process that has it. */
  readonly pid: number

  constructor(path: string, pid: number) {
    super(`${path} is in use by ${pid === process.pid ? 'another client of this process' : `process ${pid}`}.`)
    this.name = 'LockHeldError'
    this.pid = pid
  }
}

/** What a system answers where there are no symbolic links, or not for every user. */
const NO_LINKS: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS'])

/**
 * Makes a lock that names this process; remove it to release the lock. Throws a LockHeldError while a process that lives has it, this
 * one included: a worker thread, or a client that was not closed. The lock of a process that ended without releasing it is taken over.
 */
export function takeLock(path: string): void {
  const own = `${process.pid} ${lifeOf(process.pid)}`
  while (!create(path, own)) {
    const held = readLock(path)
    // Released meanwhile.
    if (held === undefined) continue
    if (isHeld(held)) throw new LockHeldError(path, pidOf(held))
    removeStale(path)
  }
}

/**
 * A symbolic link to nowhere: it has its text from the first moment, or it would be taken for a stale one, and a full disk has room for it. False
 * when there is a lock.
 */
function create(path: string, text: string): boolean {
  try {
    symlinkSync(text, path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST') return false
    if (!NO_LINKS.has(code)) throw error
    return createInPlace(path, text)
  }
}

/** A file, where there are no links: it is empty for some microseconds. */
function createInPlace(path: string, text: string): boolean {
  try {
    writeFileSync(path, text, { flag: 'wx', mode: 0o600 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Undefined when there is none. */
function readLock(path: string): string | undefined {
  try {
    return readlinkSync(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return readFile(path)
    return undefined
  }
}

function readFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Removes the lock of a process that has ended. That takes a lock of its own: no other process removes a stale lock meanwhile, and while there is one
 * no process creates another, so the file that is removed is the one that was read.
 */
function removeStale(path: string): void {
  const takeOver = `${path}.take-over`
  try {
    takeLock(takeOver)
  } catch (error) {
    throw error instanceof LockHeldError ? new LockHeldError(path, error.pid) : error
  }
  try {
    const held = readLock(path)
    if (held !== undefined && !isHeld(held)) unlinkSync(path)
  } finally {
    unlinkSync(takeOver)
  }
}

function pidOf(text: string): number {
  return Number(text.split(' ')[0])
}

function isHeld(text: string): boolean {
  const pid = pidOf(text)
  const life = text.split(' ')[1] ?? ''
  if (!(pid > 0) || !isAlive(pid)) return false
  const current = lifeOf(pid)
  return current === '' || life === '' ? true : current === life
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Distinguishes a process from an earlier one with the same number (in containers all are process 1): its start since the boot,
 * and the boot id. Empty without /proc.
 */
function lifeOf(pid: number): string {
  const stat = readProc(`${pid}/stat`)
  // Field 22; the second one is in parentheses and may hold spaces.
  const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  return startedAt === undefined ? '' : `${readProc('sys/kernel/random/boot_id').trim()}/${startedAt}`
}

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}
