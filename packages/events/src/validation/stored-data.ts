import type { DataObject } from '../json/data-object.ts'
import { LIMITS } from '../limits.ts'
import type { JsonScanner } from '../json/json-scanner.ts'

/** The payload to store, or its fault. */
export type StoredData =
  | { readonly type: 'stored'; readonly bytes: Buffer }
  | { readonly type: 'mismatch' }
  | { readonly type: 'tooLarge'; readonly length: number }

/**
 * A payload in its stored form: without insignificant white space, the member `name` (`task_id` or `session_id`) with value
 * `value` first, all other bytes unchanged. A payload in this form is not copied, any other is copied once. `value` is an
 * identifier, so it needs no escaping.
 */
export function storeData(scanner: JsonScanner, data: DataObject, name: string, value: string): StoredData {
  const index = data.find(name)
  if (index >= 0 && !valueIs(scanner, data, index, value)) return { type: 'mismatch' }
  const gaps = scanner.gaps
  const headLength = name.length + value.length + HEAD_MARKS
  if (index === 0 && gaps.length === 0 && startsWith(scanner.bytes, data.start, `{"${name}":"${value}"`)) {
    const length = data.end - data.start
    if (length > LIMITS.dataBytesMax) return { type: 'tooLarge', length }
    return { type: 'stored', bytes: scanner.bytes.subarray(data.start, data.end) }
  }
  // What is kept of the caller's bytes, around the member that moves to the front.
  const closeAt = data.end - 1
  const beforeEnd = index < 0 ? closeAt : index === 0 ? data.start + 1 : data.valueEnd(index - 1)
  const afterStart =
    index < 0 ? closeAt : index > 0 ? data.valueEnd(index) : data.size > 1 ? data.nameStart(1) - 1 : closeAt
  const kept = spanLength(gaps, data.start + 1, beforeEnd) + spanLength(gaps, afterStart, closeAt)
  const length = headLength + (kept > 0 ? 1 : 0) + kept + 1
  if (length > LIMITS.dataBytesMax) return { type: 'tooLarge', length }
  const out = Buffer.allocUnsafe(length)
  let at = writeHead(out, name, value)
  if (kept > 0) out[at++] = 0x2c
  at = copySpan(scanner.bytes, gaps, data.start + 1, beforeEnd, out, at)
  at = copySpan(scanner.bytes, gaps, afterStart, closeAt, out, at)
  out[at] = 0x7d
  return { type: 'stored', bytes: out }
}

function valueIs(scanner: JsonScanner, data: DataObject, index: number, value: string): boolean {
  const start = data.valueStart(index)
  if (scanner.bytes[start] !== 0x22) return false
  return JSON.parse(scanner.bytes.toString('utf8', start, data.valueEnd(index))) === value
}

function startsWith(bytes: Buffer, start: number, head: string): boolean {
  for (let at = 0; at < head.length; at++) if (bytes[start + at] !== head.charCodeAt(at)) return false
  return true
}

/** Bytes of [start, end) that are not in a gap. */
function spanLength(gaps: readonly number[], start: number, end: number): number {
  let length = Math.max(0, end - start)
  for (let index = 0; index < gaps.length; index += 2) {
    const from = gaps[index] as number
    if (from >= end) break
    if (from >= start) length -= Math.min(gaps[index + 1] as number, end) - from
  }
  return length
}

/** Copies the bytes of [start, end) that are not in a gap to `out` at `at`; returns the offset after them. */
function copySpan(bytes: Buffer, gaps: readonly number[], start: number, end: number, out: Buffer, at: number): number {
  let from = start
  for (let index = 0; index < gaps.length && from < end; index += 2) {
    const gapStart = gaps[index] as number
    if (gapStart >= end) break
    if (gapStart < from) continue
    at = copyBytes(bytes, from, gapStart, out, at)
    from = gaps[index + 1] as number
  }
  return from < end ? copyBytes(bytes, from, end, out, at) : at
}

/** The marks in `{"name":"value"`. */
const HEAD_MARKS = 6

/** Writes `{"name":"value"`; by hand, see {@link copyBytes}. */
function writeHead(out: Buffer, name: string, value: string): number {
  out[0] = 0x7b
  out[1] = 0x22
  let at = writeAscii(out, 2, name)
  out[at] = 0x22
  out[at + 1] = 0x3a
  out[at + 2] = 0x22
  at = writeAscii(out, at + 3, value)
  out[at] = 0x22
  return at + 1
}

function writeAscii(out: Buffer, start: number, text: string): number {
  for (let index = 0; index < text.length; index++) out[start + index] = text.charCodeAt(index)
  return start + text.length
}

/** A call into native code costs as much as some thirty bytes copied in a loop. */
function copyBytes(bytes: Buffer, start: number, end: number, out: Buffer, at: number): number {
  if (end - start > 32) return at + bytes.copy(out, at, start, end)
  for (let from = start; from < end; from++) out[at++] = bytes[from] as number
  return at
}
