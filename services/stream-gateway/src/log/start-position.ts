import { isSameLog, type LogIdentity } from '@ariftly/kafka'
import { dominates, raise, type OffsetVector } from './offset-vector.ts'

/** Average bytes of a record in the ring, to guess how many fit. */
const RECORD_BYTES = 1024

/** State of the log and the projection when the reading starts. */
export interface LogAtStart {
  readonly logStart: OffsetVector
  readonly logEnd: OffsetVector
  /** Next offset of the projection, for the partitions that have one. */
  readonly projected: ReadonlyMap<number, number>
  readonly ringBytesMax: number
}

/**
 * Where the reader starts: at the smaller of the projection's next offset (later records are only in the log) and the ring's
 * window before the log's end, but not before the log's start.
 */
export function readerStart(o: LogAtStart): OffsetVector {
  const partitions = o.logEnd.length
  const windowRecords = Math.floor(o.ringBytesMax / RECORD_BYTES / partitions)
  return o.logEnd.map((end, partition) => {
    const logStart = o.logStart[partition] ?? 0
    const window = Math.max(0, end - windowRecords)
    return Math.max(logStart, Math.min(o.projected.get(partition) ?? logStart, window))
  })
}

/** Partitions whose projection is beyond the log's end: this is not the log that was projected. */
export function beyondEnd(o: Pick<LogAtStart, 'logEnd' | 'projected'>): number[] {
  return [...o.projected]
    .filter(([partition, next]) => next > (o.logEnd[partition] ?? 0))
    .map(([partition]) => partition)
}

/**
 * The end of the log of `identity`. Infinity for a partition that could not be asked about, and for all of another log: no
 * position is known to be beyond an end that is not known.
 */
export function knownEnd(
  found: LogIdentity & { readonly partitions: readonly { readonly partition: number; readonly logEnd: number }[] },
  o: { readonly identity: LogIdentity; readonly partitionCount: number },
): OffsetVector {
  const end = new Float64Array(o.partitionCount).fill(Infinity)
  if (!isSameLog(found, o.identity)) return end
  for (const { partition, logEnd } of found.partitions) end[partition] = logEnd
  return end
}

/** Where a stream starts, or why it cannot start at the requested position. */
export type StreamStart =
  | { readonly kind: 'at'; readonly position: OffsetVector }
  | { readonly kind: 'reset'; readonly reason: 'log_changed' | 'history_expired'; readonly position: OffsetVector }

/** Where a stream that resumes continues; `floor` is where the kept history begins. */
export function resumeAt(o: {
  readonly epoch: number
  readonly floor: OffsetVector
  readonly asked: { readonly epoch: number; readonly position: OffsetVector }
}): StreamStart {
  const { asked, floor } = o
  if (asked.epoch !== o.epoch || asked.position.length !== floor.length) {
    return { kind: 'reset', reason: 'log_changed', position: floor }
  }
  if (dominates(asked.position, floor)) return { kind: 'at', position: asked.position }
  const position = asked.position.map((offset, partition) => Math.max(offset, floor[partition] ?? 0))
  return { kind: 'reset', reason: 'history_expired', position }
}

/** The position of "from now on": the ring's, or the log's end at start-up until the ring has reached it. */
export function positionOfNow(ringPosition: OffsetVector, endAtStart: OffsetVector): OffsetVector {
  const position = Float64Array.from(ringPosition)
  raise(position, endAtStart)
  return position
}
