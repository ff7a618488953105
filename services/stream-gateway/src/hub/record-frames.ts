import { renderFrame } from '../frames/frames.ts'
import type { FramedEvent } from '../log/ring-columns.ts'
import { dataFor, type StreamFilter } from './filter.ts'

/**
 * The frame of a record that all streams share which may have its id: made at the first call, with the id that is given
 * then. `onKept` is called with the bytes of a new frame; undefined: it is not kept.
 */
export function sharedFrame(
  framed: FramedEvent,
  filter: StreamFilter,
  o: { readonly id: () => string; readonly onKept: ((bytes: number) => void) | undefined },
): Buffer {
  const known = filter.envelope ? framed.envelopeFrame : framed.frame
  if (known !== undefined) return known
  const { event } = framed
  const frame = renderFrame({
    event: event.type,
    data: dataFor(filter, event),
    id: o.id(),
    isKept: o.onKept !== undefined,
  })
  if (filter.envelope) framed.envelopeFrame = frame
  else framed.frame = frame
  o.onKept?.(frame.length)
  return frame
}
