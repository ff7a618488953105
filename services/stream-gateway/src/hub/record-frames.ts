import { renderFrame } from '../frames/frames.ts'
import type { FramedEvent } from '../log/ring-columns.ts'
import { dataFor, type StreamFilter } from './filter.ts'

/**
 * The frame of a record that all streams share which may have its id: made at the first call, with the id that is given
 * then. `onMade` is called with the bytes of a new frame.
 */
export function sharedFrame(
  framed: FramedEvent,
  filter: StreamFilter,
  o: { readonly id: () => string; readonly onMade: (bytes: number) => void },
): Buffer {
  const known = filter.envelope ? framed.envelopeFrame : framed.frame
  if (known !== undefined) return known
  const { event } = framed
  const frame = renderFrame({ event: event.type, data: dataFor(filter, event), id: o.id() })
  if (filter.envelope) framed.envelopeFrame = frame
  else framed.frame = frame
  o.onMade(frame.length)
  return frame
}
