import type { RawRecord } from '@ariftly/events'
import { RecordView } from '@ariftly/kafka'

/** A record as from a log reader, made of its parts, with the bytes of message format v2. */
export function recordViewOf(record: Omit<RawRecord, 'key'> & { readonly key: Buffer | string | null }): RecordView {
  const headers = Object.entries(record.headers).flatMap(([name, value]) =>
    (Array.isArray(value) ? value : [value]).map((each) => [
      sized(Buffer.from(name)),
      sized(typeof each === 'string' ? Buffer.from(each) : (each as Buffer | null | undefined)),
    ]),
  )
  const bytes = Buffer.concat([
    sized(typeof record.key === 'string' ? Buffer.from(record.key) : record.key),
    sized(record.value),
    varint(headers.length),
    ...headers.flat(),
  ])
  return new RecordView(record, { bytes, start: 0, end: bytes.length })
}

function sized(bytes: Uint8Array | null | undefined): Buffer {
  return bytes == null ? varint(-1) : Buffer.concat([varint(bytes.length), bytes])
}

/** Zigzag varint. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let coded = value < 0 ? -value * 2 - 1 : value * 2
  for (; coded > 127; coded = Math.floor(coded / 128)) bytes.push((coded % 128) | 128)
  bytes.push(coded)
  return Buffer.from(bytes)
}
