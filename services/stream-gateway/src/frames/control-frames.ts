import { chunkOf } from './frames.ts'

/** Why a stream cannot continue from the requested position. */
export type ResetReason = 'log_changed' | 'history_expired' | 'position_beyond_log'

/**
 * The first block of a stream: how soon to reconnect, and the position it starts at, so that a stream that is cut before
 * its first event still resumes without a gap. One block, as every block makes some clients fire a message.
 */
export function openingFrame(retryMs: number, id: string | undefined): Buffer {
  if (id === undefined) return chunkOf(`retry: ${retryMs}\n`)
  return chunkOf(`retry: ${retryMs}\nevent: stream.checkpoint\ndata: {}\nid: ${id}\n\n`)
}

/** Moves the client's id without an event, so that a filter that rarely matches does not fall out of the ring. */
export function checkpointFrame(id: string): Buffer {
  return chunkOf(`event: stream.checkpoint\ndata: {}\nid: ${id}\n\n`)
}

/** The same, and says that the client is up to date: it has had all records that its gateway has read. */
export function liveFrame(id: string): Buffer {
  return chunkOf(`event: stream.checkpoint\ndata: {"live":true}\nid: ${id}\n\n`)
}

/** Reports to the client that its position could not be kept, and where the stream continues. */
export function resetFrame(o: {
  readonly reason: ResetReason
  /** The requested id or time, verbatim. */
  readonly requested: string
  /** Log time of the oldest event that there is; null when there is none. */
  readonly earliestMs: number | undefined
  readonly id: string
}): Buffer {
  const earliest = o.earliestMs === undefined ? null : new Date(o.earliestMs).toISOString()
  const data = JSON.stringify({ reason: o.reason, requested: o.requested, earliest })
  return chunkOf(`event: stream.reset\ndata: ${data}\nid: ${o.id}\n\n`)
}
