import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { Spool, SpooledEvent } from '../send/spool.ts'

/** How a spool keeps its files. */
export interface SpoolOptions {
  /** A file is closed at this size, and removed when all its events are settled; default 4 MiB. */
  readonly fileBytesMax?: number
}

interface SpoolFile {
  readonly path: string
  /** Events that are not settled. */
  left: number
}

const LOCK = 'lock'

/**
 * Keeps events in files of a folder until they are accepted or refused, so that they survive a killed process: the next one that opens the
 * folder sends them, under the same ids, before all others. They survive the process, not the machine: nothing is flushed to the disk.
 * A folder belongs to one process at a time; throws an Error while another one has it. Needs a file system with links to processes of this host:
 * do not share the folder between machines.
 */
export function openSpool(folder: string, { fileBytesMax = 4 * 1024 * 1024 }: SpoolOptions = {}): Spool {
  mkdirSync(folder, { recursive: true })
  takeLock(join(folder, LOCK))
  return new FileSpool(folder, fileBytesMax)
}

class FileSpool implements Spool {
  readonly #folder: string
  readonly #fileBytesMax: number
  /** By ticket, for events that are not settled. */
  readonly #fileOf = new Map<number, SpoolFile>()
  readonly #earlier: SpooledEvent[] = []
  #ticket = 0
  #fileNumber = 0
  #file: SpoolFile | undefined
  #descriptor: number | undefined
  #bytes = 0

  constructor(folder: string, fileBytesMax: number) {
    this.#folder = folder
    this.#fileBytesMax = fileBytesMax
    for (const name of readdirSync(folder).filter(isSpoolFile).toSorted()) this.#readEarlier(join(folder, name), name)
  }

  recover(): readonly SpooledEvent[] {
    return this.#earlier.splice(0)
  }

  append(json: string): number {
    const line = Buffer.from(`${json.replaceAll('\n', ' ')}\n`)
    if (this.#file === undefined || this.#bytes + line.length > this.#fileBytesMax) this.#startFile()
    const file = this.#file as unknown as SpoolFile
    for (let at = 0; at < line.length;) at += writeSync(this.#descriptor as number, line, at)
    this.#bytes += line.length
    return this.#ticketOf(file)
  }

  settle(ticket: number): void {
    const file = this.#fileOf.get(ticket)
    if (file === undefined) return
    this.#fileOf.delete(ticket)
    file.left -= 1
    if (file.left > 0) return
    if (file !== this.#file) rmSync(file.path, { force: true })
    else if (this.#bytes > 0) {
      ftruncateSync(this.#descriptor as number, 0)
      this.#bytes = 0
    }
  }

  close(): void {
    this.#closeFile()
    rmSync(join(this.#folder, LOCK), { force: true })
  }

  #closeFile(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    if (this.#file?.left === 0) rmSync(this.#file.path, { force: true })
    this.#file = undefined
    this.#descriptor = undefined
  }

  #readEarlier(path: string, name: string): void {
    this.#fileNumber = Math.max(this.#fileNumber, Number.parseInt(name, 10))
    const lines = readFileSync(path, 'utf8').split('\n')
    const file = { path, left: 0 }
    for (const json of lines) if (json !== '') this.#earlier.push({ ticket: this.#ticketOf(file), json })
    if (file.left === 0) rmSync(path)
  }

  #ticketOf(file: SpoolFile): number {
    this.#ticket += 1
    file.left += 1
    this.#fileOf.set(this.#ticket, file)
    return this.#ticket
  }

  #startFile(): void {
    this.#closeFile()
    this.#fileNumber += 1
    const path = join(this.#folder, `${String(this.#fileNumber).padStart(12, '0')}.ndjson`)
    // Appending, so that a file that was emptied is written from its start.
    this.#descriptor = openSync(path, 'ax', 0o600)
    this.#file = { path, left: 0 }
    this.#bytes = 0
  }
}

function isSpoolFile(name: string): boolean {
  return /^\d{12}\.ndjson$/.test(name)
}

/** A lock of a process that is gone, or of a former life of this one (in containers all are process 1), counts for nothing. */
function takeLock(path: string): void {
  let holder = 0
  try {
    holder = Number(readFileSync(path, 'utf8'))
  } catch {
    // Nobody has it.
  }
  if (holder > 0 && holder !== process.pid && isAlive(holder)) {
    throw new Error(`The spool is in use by process ${holder}: ${path}`)
  }
  writeFileSync(path, String(process.pid), { mode: 0o600 })
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
