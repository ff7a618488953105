import {
  appendFileSync,
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import type { Spool, SpooledEvent, SpoolEntry } from '../send/spool.ts'
import { takeLock } from './folder-lock.ts'

/** How a spool keeps its files. */
export interface SpoolOptions {
  /** A file is closed at this size, and removed when all its events are settled; default 4 MiB. */
  readonly fileBytesMax?: number | undefined
}

interface SpoolFile {
  readonly path: string
  /** Events that are not settled. */
  left: number
}

interface Kept {
  readonly file: SpoolFile
  /** Number of the event in its file. */
  readonly number: number
}

const LOCK = 'lock'
/**
 * Number, then an id or a time and JSON. A cut id is none: its request did not leave. JSON text may hold U+2028 and U+2029, which `.` matches
 * with the flag alone.
 */
const LINE = /^(\d+) (?:(evt_\w{26})|(\d+) (\{.*))$/s

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
 * A file has a line for each event, `<number> <atMs> <json>`, and a line `<number> <id>` when the event is sent with that id: the
 * last one counts. Files of version 1.1.0 hold the JSON alone.
 */
class FileSpool implements Spool {
  readonly #folder: string
  readonly #fileBytesMax: number
  /** By ticket, for events that are not settled. */
  readonly #kept = new Map<number, Kept>()
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

  append(events: readonly SpoolEntry[]): readonly number[] {
    if (events.length === 0) return []
    const first = this.#ticket + 1
    // JSON text may hold line breaks between its tokens, and nowhere else.
    const lines = events.map(({ atMs, json }, at) => `${first + at} ${atMs} ${json.replaceAll(/[\n\r]/g, ' ')}\n`)
    this.#write(Buffer.from(lines.join('')))
    const file = this.#file as SpoolFile
    return events.map((_, at) => this.#keep(file, first + at))
  }

  identify(ids: ReadonlyMap<number, string>): void {
    const lines = new Map<SpoolFile, string>()
    for (const [ticket, id] of ids) {
      const kept = this.#kept.get(ticket)
      if (kept !== undefined) lines.set(kept.file, `${lines.get(kept.file) ?? ''}${kept.number} ${id}\n`)
    }
    for (const [file, text] of lines) {
      if (file === this.#file) this.#writeTo(Buffer.from(text))
      // The file may end in half a line of a killed process.
      else appendFileSync(file.path, `\n${text}`)
    }
  }

  settle(ticket: number): void {
    const kept = this.#kept.get(ticket)
    if (kept === undefined) return
    this.#kept.delete(ticket)
    const { file } = kept
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

  #write(lines: Buffer): void {
    if (this.#file === undefined || this.#bytes + lines.length > this.#fileBytesMax) this.#startFile()
    this.#writeTo(lines)
  }

  /** Writes to the file in hand, all or nothing: what a full disk leaves of it is cut off. */
  #writeTo(lines: Buffer): void {
    const descriptor = this.#descriptor as number
    try {
      for (let at = 0; at < lines.length;) at += writeSync(descriptor, lines, at)
      this.#bytes += lines.length
    } catch (error) {
      ftruncateSync(descriptor, this.#bytes)
      throw error
    }
  }

  #closeFile(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor)
    if (this.#file?.left === 0) rmSync(this.#file.path, { force: true })
    this.#file = undefined
    this.#descriptor = undefined
  }

  #readEarlier(path: string, name: string): void {
    this.#fileNumber = Math.max(this.#fileNumber, Number.parseInt(name, 10))
    const file = { path, left: 0 }
    const events = new Map<string, Omit<SpooledEvent, 'ticket'>>()
    for (const [at, line] of readFileSync(path, 'utf8').split('\n').entries()) {
      const [, number = '', id, atMs, json = ''] = LINE.exec(line) ?? []
      const event = events.get(number)
      if (json !== '') events.set(number, { json, atMs: Number(atMs) })
      else if (event !== undefined) events.set(number, { ...event, id })
      else if (line.startsWith('{')) events.set(`line ${at}`, { json: line, atMs: Date.now() })
    }
    for (const [number, event] of events) this.#earlier.push({ ...event, ticket: this.#keep(file, Number(number)) })
    if (file.left === 0) rmSync(path)
  }

  #keep(file: SpoolFile, number: number): number {
    this.#ticket += 1
    file.left += 1
    this.#kept.set(this.#ticket, { file, number })
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
