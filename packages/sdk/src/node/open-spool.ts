import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import type { Spool, SpooledEvent, SpoolEntry } from '../send/spool.ts'
import { LockHeldError, takeLock } from './folder-lock.ts'

/** How a spool keeps its files. */
export interface SpoolOptions {
  /** A file is closed at this size, and removed when all its events are settled; default 4 MiB. */
  readonly fileBytesMax?: number | undefined
}

interface SpoolFile {
  readonly path: string
  /** Events that are not settled. */
  left: number
  /** Lines that cannot be read: the file is kept. */
  damagedLines: number
}

interface Kept {
  readonly file: SpoolFile
  /** Where the line begins in its file, bytes. */
  readonly at: number
}

const LOCK = 'lock'
const DAMAGED = '.damaged'
/** In place of an id that this client does not mint. */
const NO_ID = '-'
/** JSON text may hold U+2028 and U+2029, which `.` matches with the flag alone. */
const LINE = /^(evt_\w{26}|-) (\d{1,15}) (\{.*\})$/s

/**
 * Keeps events in files of a folder until they are accepted or refused, so that they survive a killed process: the next one that opens the
 * folder sends them, under the same ids, before all others. They survive the process, not the machine: nothing is flushed to the disk.
 * A folder belongs to one client at a time; throws an Error while another one has it, and for a folder that is a link or that other users may
 * write. Processes of one host only: do not share the folder between machines.
 */
export function openSpool(path: string, { fileBytesMax = 4 * 1024 * 1024 }: SpoolOptions = {}): Spool {
  // Without the slash at the end that would lead through a link.
  const folder = resolve(path)
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  checkFolder(folder)
  takeLock(join(folder, LOCK))
  return new FileSpool(folder, fileBytesMax)
}

function checkFolder(folder: string): void {
  const status = lstatSync(folder)
  const ownUid = process.getuid?.()
  // What a link leads to can be exchanged.
  if (!status.isDirectory()) throw new Error(`The spool must be a folder, not a link: ${folder}`)
  if (ownUid === undefined) return
  if ((status.mode & 0o022) !== 0 || (status.uid !== ownUid && status.uid !== 0)) {
    throw new Error(`The spool can be written by other users: ${folder}. Use chmod 700.`)
  }
}

/**
 * A file has a line for each event, `<id> <atMs> <json>`. Nothing is written to it later, so that a full disk does not stop the sending that frees it;
 * but for another id, which overwrites the first one.
 */
class FileSpool implements Spool {
  readonly #folder: string
  readonly #fileBytesMax: number
  /** By ticket, for events that are not settled. */
  readonly #kept = new Map<number, Kept>()
  readonly #earlier: SpooledEvent[] = []
  readonly #damaged: SpoolFile[] = []
  #ticket = 0
  #fileNumber = 0
  #file: SpoolFile | undefined
  #descriptor: number | undefined
  #bytes = 0

  constructor(folder: string, fileBytesMax: number) {
    this.#folder = folder
    this.#fileBytesMax = fileBytesMax
    adoptChildren(folder)
    for (const name of readdirSync(folder).filter(isSpoolFile).toSorted()) {
      this.#fileNumber = Math.max(this.#fileNumber, Number.parseInt(name, 10))
      if (!name.endsWith(DAMAGED)) this.#readEarlier(join(folder, name))
    }
  }

  recover(warn: (text: string) => void): readonly SpooledEvent[] {
    for (const { path, damagedLines } of this.#damaged.splice(0)) {
      warn(
        `Lines of the spool that cannot be read: ${damagedLines}, in ${path}. The file is kept as ${path}${DAMAGED}.`,
      )
    }
    return this.#earlier.splice(0)
  }

  append(events: readonly SpoolEntry[]): readonly number[] {
    if (events.length === 0) return []
    // JSON text may hold line breaks between its tokens, and nowhere else.
    const lines = events.map(({ id = NO_ID, atMs, json }) => `${id} ${atMs} ${json.replaceAll(/[\n\r]/g, ' ')}\n`)
    const bytes = Buffer.from(lines.join(''))
    if (this.#file === undefined || this.#bytes + bytes.length > this.#fileBytesMax) this.#startFile()
    let at = this.#bytes
    this.#write(bytes)
    return lines.map((line) => {
      const ticket = this.#keep(this.#file as SpoolFile, at)
      at += Buffer.byteLength(line)
      return ticket
    })
  }

  replaceId(ticket: number, id: string): void {
    const kept = this.#kept.get(ticket)
    if (kept === undefined) return
    const descriptor = openSync(kept.file.path, 'r+')
    try {
      writeSync(descriptor, Buffer.from(id), 0, id.length, kept.at)
    } finally {
      closeSync(descriptor)
    }
  }

  settle(ticket: number): void {
    const kept = this.#kept.get(ticket)
    if (kept === undefined) return
    this.#kept.delete(ticket)
    const { file } = kept
    file.left -= 1
    if (file.left > 0) return
    if (file !== this.#file) removeFile(file)
    else if (this.#bytes > 0) {
      ftruncateSync(this.#descriptor as number, 0)
      this.#bytes = 0
    }
  }

  close(): void {
    this.#closeFile()
    rmSync(join(this.#folder, LOCK), { force: true })
  }

  /** Writes to the file in hand, all or nothing: what a full disk leaves of it is cut off. */
  #write(bytes: Buffer): void {
    const descriptor = this.#descriptor as number
    try {
      for (let at = 0; at < bytes.length;) {
        at += writeSync(descriptor, bytes, at, bytes.length - at, this.#bytes + at)
      }
      this.#bytes += bytes.length
    } catch (error) {
      ftruncateSync(descriptor, this.#bytes)
      throw error
    }
  }

  #closeFile(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    if (this.#file?.left === 0) removeFile(this.#file)
    this.#file = undefined
    this.#descriptor = undefined
  }

  #readEarlier(path: string): void {
    const file = { path, left: 0, damagedLines: 0 }
    const bytes = readFileSync(path)
    for (let at = 0; at < bytes.length;) {
      const end = bytes.indexOf('\n', at)
      const line = bytes.subarray(at, end === -1 ? undefined : end)
      const entry = readLine(line)
      if (entry !== undefined) this.#earlier.push({ ...entry, ticket: this.#keep(file, at) })
      // The last line is cut by a kill: `send` did not take its event. A kill leaves no NUL.
      else if (end !== -1 || line.includes(0)) file.damagedLines += 1
      at += line.length + 1
    }
    if (file.damagedLines > 0) this.#damaged.push(file)
    if (file.left === 0) removeFile(file)
  }

  #keep(file: SpoolFile, at: number): number {
    this.#ticket += 1
    file.left += 1
    this.#kept.set(this.#ticket, { file, at })
    return this.#ticket
  }

  #startFile(): void {
    this.#closeFile()
    this.#fileNumber += 1
    const path = join(this.#folder, nameOf(this.#fileNumber))
    this.#descriptor = openSync(path, 'wx', 0o600)
    this.#file = { path, left: 0, damagedLines: 0 }
    this.#bytes = 0
  }
}

function isSpoolFile(name: string): boolean {
  return /^\d{12}\.ndjson(\.damaged)?$/.test(name)
}

function removeFile({ path, damagedLines }: SpoolFile): void {
  if (damagedLines > 0) renameSync(path, path + DAMAGED)
  else rmSync(path, { force: true })
}

/**
 * Moves the files of children that have ended into the folder, behind its own. The SDK for Python makes them: the child of a fork keeps its events in a
 * folder of its own, below its parent's.
 */
function adoptChildren(folder: string): void {
  const names = readdirSync(folder)
  let number = Math.max(0, ...names.filter(isSpoolFile).map((name) => Number.parseInt(name, 10)))
  for (const child of names.filter((name) => /^child-\d+-[0-9a-f]{8}$/.test(name)).toSorted()) {
    const path = join(folder, child)
    try {
      checkFolder(path)
      takeLock(join(path, LOCK))
    } catch (error) {
      if (error instanceof LockHeldError) continue
      throw error
    }
    for (const name of readdirSync(path).filter(isSpoolFile).toSorted()) {
      number += 1
      renameSync(join(path, name), join(folder, nameOf(number) + name.slice(nameOf(0).length)))
    }
    // Another file in it is not ours.
    if (readdirSync(path).every((name) => name === LOCK)) rmSync(path, { recursive: true, force: true })
    else rmSync(join(path, LOCK), { force: true })
  }
}

function nameOf(number: number): string {
  return `${String(number).padStart(12, '0')}.ndjson`
}

/** Undefined for a line that is not as it was written. */
function readLine(line: Uint8Array): SpoolEntry | undefined {
  try {
    const [, id, atMs, json = ''] = LINE.exec(new TextDecoder('utf-8', { fatal: true }).decode(line)) ?? []
    JSON.parse(json)
    return { json, atMs: Number(atMs), id: id === NO_ID ? undefined : id }
  } catch {
    return undefined
  }
}
