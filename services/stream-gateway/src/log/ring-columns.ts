import type { LogEvent } from '@ariftly/events'

/** A decoded event. Its frame is made when the first stream gets it, once for all streams that share it. */
export interface FramedEvent {
  readonly event: LogEvent
  /** With the data alone, and with the whole event object (`envelope=true`). */
  frame: Buffer | undefined
  envelopeFrame: Buffer | undefined
}

/** The records of a ring in parallel columns; a record's index is its number modulo the capacity. */
export type RingColumns = ReturnType<typeof createColumns>

/** Makes empty columns; the capacity is a power of two. */
export function createColumns(capacity: number) {
  return {
    partitions: new Uint16Array(capacity),
    offsets: new Float64Array(capacity),
    times: new Float64Array(capacity),
    states: new Uint8Array(capacity),
    starts: new Uint32Array(capacity),
    lengths: new Uint32Array(capacity),
    /** Bytes allocated for a record in addition to its own. */
    extras: new Uint32Array(capacity),
    segments: Array.from<Buffer | undefined>({ length: capacity }),
    events: Array.from<FramedEvent | undefined>({ length: capacity }),
  }
}

/** The same records in columns of twice the capacity; `toSeq` is the number after the last one's. */
export function doubled(
  old: RingColumns,
  { fromSeq, toSeq }: { readonly fromSeq: number; readonly toSeq: number },
): RingColumns {
  const columns = createColumns(old.offsets.length * 2)
  for (let seq = fromSeq; seq < toSeq; seq += 1) {
    const from = seq & (old.offsets.length - 1)
    const to = seq & (columns.offsets.length - 1)
    columns.partitions[to] = old.partitions[from] ?? 0
    columns.offsets[to] = old.offsets[from] ?? 0
    columns.times[to] = old.times[from] ?? 0
    columns.states[to] = old.states[from] ?? 0
    columns.starts[to] = old.starts[from] ?? 0
    columns.lengths[to] = old.lengths[from] ?? 0
    columns.extras[to] = old.extras[from] ?? 0
    columns.segments[to] = old.segments[from]
    columns.events[to] = old.events[from]
  }
  return columns
}
