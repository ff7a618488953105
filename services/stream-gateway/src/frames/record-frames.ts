import type { RingEvent } from '../log/ring-columns.ts'
import { dataFor, type StreamFilter } from '../streams/filter.ts'
import { renderFrame } from './frames.ts'

/**
 * The frame of a record that all streams share which may have its id: made at the first call, with the id that is given
 * then. `onMade` is called with the bytes of a new frame.
 */
export function sharedFrame(
  ringEvent: RingEvent,
  filter: StreamFilter,
  o: { readonly id: () => string; readonly onMade: (bytes: number) => void },
): Buffer {
  const known = filter.envelope ? ringEvent.envelopeFrame : ringEvent.frame
  if (known !== undefined) return known
  const { event } = ringEvent
  const frame = renderFrame({ event: event.type, data: dataFor(filter, event), id: o.id() })
  if (filter.envelope) ringEvent.envelopeFrame = frame
  else ringEvent.frame = frame
  o.onMade(frame.length)
  return frame
}
