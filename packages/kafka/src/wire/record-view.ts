import type { RawRecord } from '@ariftly/events'
import { readVarint, type Cursor } from './varint.ts'

/** A header may have no value, which is not an empty one. */
type HeaderValue = Buffer | string | null
type Headers = Record<string, HeaderValue | HeaderValue[] | undefined>

/** Where the bytes of a record are: from its key's length on, to its end (message format v2). */
export interface RecordBytes {
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
}

const ASCII_END = 0x80
/** Longer values stay views; no attribute of an event is as long. */
const TEXT_BYTES_MAX = 512
/**
 * By its place in a record: name and value of the header that was read there last. A producer writes the same names, and many
 * of the same values, in the same order: the same string is used for the same bytes.
 */
const PLACES_MAX = 256
const names: string[] = []
const values: string[] = []

/**
 * A lazily decoded record: key, value and headers are views of the fetched bytes, made on first use. A reader that needs only
 * some headers ({@link headerText}) builds nothing else.
 */
export class RecordView implements RawRecord, RecordBytes {
  readonly partition: number
  readonly offset: number
  readonly timestampMs: number
  readonly bytes: Buffer
  readonly start: number
  readonly end: number
  #headers: Headers | undefined

  constructor(
    place: { readonly partition: number; readonly offset: number; readonly timestampMs: number },
    { bytes, start, end }: RecordBytes,
  ) {
    this.partition = place.partition
    this.offset = place.offset
    this.timestampMs = place.timestampMs
    this.bytes = bytes
    this.start = start
    this.end = end
  }

  get key(): Buffer | null {
    return readNullable({ data: this.bytes, at: this.start })
  }

  get value(): Buffer | null {
    const cursor = { data: this.bytes, at: this.start }
    skipNullable(cursor)
    return readNullable(cursor)
  }

  /** Values are strings if they are short ASCII, otherwise views; a repeated name has an array. */
  get headers(): Headers {
    return (this.#headers ??= readHeaders(this.#atHeaders()))
  }

  /** The key's text up to the first `separator` (an ASCII code); undefined when there is no key or no separator in it. */
  keyTextBefore(separator: number): string | undefined {
    const cursor = { data: this.bytes, at: this.start }
    const length = readVarint(cursor)
    if (length < 0) return undefined
    const end = cursor.at + length
    for (let at = cursor.at; at < end; at += 1) {
      if (this.bytes[at] === separator) return this.bytes.toString('latin1', cursor.at, at)
    }
    return undefined
  }

  /** Whether the key begins with an ASCII text. */
  keyStartsWith(text: string): boolean {
    const cursor = { data: this.bytes, at: this.start }
    return readVarint(cursor) >= text.length && isAt(this.bytes, cursor.at, text)
  }

  /** The value of the first header of an ASCII name, as Latin-1 text; undefined when there is none or it has no value. */
  headerText(name: string): string | undefined {
    return this.readHeader(name, latin1)
  }

  /** Calls `read` with the bytes of the first header of an ASCII name; undefined when there is none or it has no value. */
  readHeader<T>(name: string, read: (bytes: Buffer, start: number, end: number) => T): T | undefined {
    const cursor = this.#atHeaders()
    for (let left = readVarint(cursor); left > 0; left -= 1) {
      const length = readVarint(cursor)
      const isWanted = length === name.length && isAt(this.bytes, cursor.at, name)
      cursor.at += length
      const valueLength = readVarint(cursor)
      if (isWanted) return valueLength < 0 ? undefined : read(this.bytes, cursor.at, cursor.at + valueLength)
      if (valueLength > 0) cursor.at += valueLength
    }
    return undefined
  }

  #atHeaders(): Cursor {
    const cursor = { data: this.bytes, at: this.start }
    skipNullable(cursor)
    skipNullable(cursor)
    return cursor
  }
}

function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end)
}

function skipNullable(cursor: Cursor): void {
  const length = readVarint(cursor)
  if (length > 0) cursor.at += length
}

function readNullable(cursor: Cursor): Buffer | null {
  const length = readVarint(cursor)
  if (length < 0) return null
  const start = cursor.at
  cursor.at += length
  return cursor.data.subarray(start, cursor.at)
}

function readHeaders(cursor: Cursor): Headers {
  const headers: Headers = {}
  const count = readVarint(cursor)
  for (let index = 0; index < count; index += 1) {
    const name = readName(cursor, index)
    addHeader(headers, name, readHeaderValue(cursor, index))
  }
  return headers
}

function readName(cursor: Cursor, index: number): string {
  const length = readVarint(cursor)
  const start = cursor.at
  cursor.at += length
  const before = names[index]
  if (before !== undefined && before.length === length && isAt(cursor.data, start, before)) return before
  const name = cursor.data.toString('utf8', start, cursor.at)
  if (index < PLACES_MAX && length <= TEXT_BYTES_MAX) names[index] = name
  return name
}

/** Whether an ASCII text is at a place. */
function isAt(data: Buffer, start: number, text: string): boolean {
  for (let at = 0; at < text.length; at += 1) {
    const byte = data[start + at] ?? ASCII_END
    if (byte >= ASCII_END || byte !== text.charCodeAt(at)) return false
  }
  return true
}

/** Text costs a quarter of a Buffer, and readers want text. */
function readHeaderValue(cursor: Cursor, index: number): HeaderValue {
  const { data } = cursor
  const length = readVarint(cursor)
  if (length < 0) return null
  const start = cursor.at
  cursor.at += length
  if (length > TEXT_BYTES_MAX) return data.subarray(start, cursor.at)
  const before = values[index]
  if (before !== undefined && before.length === length && isAt(data, start, before)) return before
  for (let at = start; at < cursor.at; at += 1) {
    if ((data[at] ?? 0) >= ASCII_END) return data.subarray(start, cursor.at)
  }
  const value = data.toString('latin1', start, cursor.at)
  if (index < PLACES_MAX) values[index] = value
  return value
}

function addHeader(headers: Headers, name: string, value: HeaderValue): void {
  const found = headers[name]
  const before = found !== undefined && Object.hasOwn(headers, name) ? found : undefined
  const next = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value]
  if (name === '__proto__') Object.defineProperty(headers, name, { value: next, enumerable: true, configurable: true })
  else headers[name] = next
}
