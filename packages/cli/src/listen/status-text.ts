import type { StreamState } from '@ariftly/sdk'
import type { ForwardCounts, TargetDown } from '../forward/forwarder.ts'
import { joinShown, show, type Shown } from '../terminal/show.ts'

/** Figures of the status of `listen`. */
export interface ListenView {
  readonly stream: StreamState
  /** Whether events wait to be read, though the stream was live when it was last read. */
  readonly isBehind: boolean
  /** ISO 8601: `created_at` of the event that was read last. */
  readonly readAt: string | undefined
  readonly down: TargetDown | undefined
  readonly counts: ForwardCounts
}

/** The status, on one line. */
export function statusText(view: ListenView, nowMs: number): Shown {
  const { delivered, failed, inFlight } = view.counts
  return joinShown(
    [stateText(view, nowMs), show`${delivered} delivered, ${failed} failed, ${inFlight} in flight`],
    ' · ',
  )
}

/** Where the stream is; and since when the target is down, if it is. */
export function stateText({ stream, isBehind, readAt, down }: ListenView, nowMs: number): Shown {
  const reading = streamText(stream, isBehind, readAt, nowMs)
  if (down === undefined) return reading
  const target = show`target down since ${timeText(down.sinceMs, nowMs)}: ${down.reason}`
  return stream.type === 'live' ? target : joinShown([target, reading], ' · ')
}

function streamText(stream: StreamState, isBehind: boolean, readAt: string | undefined, nowMs: number): Shown {
  switch (stream.type) {
    case 'connecting':
      return show`connecting`
    case 'catching_up':
      return catchingUp(readAt, nowMs)
    case 'live':
      return isBehind ? catchingUp(readAt, nowMs) : show`live`
    case 'waiting': {
      const seconds = Math.max(0, Math.ceil((stream.retryAt.getTime() - nowMs) / 1000))
      return show`waiting ${seconds} s: ${stream.error?.message ?? 'the stream ended'}`
    }
    case 'closed':
      return show`stopping`
  }
}

function catchingUp(readAt: string | undefined, nowMs: number): Shown {
  return readAt === undefined ? show`catching up` : show`catching up at ${timeText(Date.parse(readAt), nowMs)}`
}

/** Local time of day, with the date where it is of another day. */
export function timeText(ms: number, nowMs: number): string {
  const [date, time] = [dateOf(ms), new Date(ms).toTimeString().slice(0, 8)]
  return date === dateOf(nowMs) ? time : `${date} ${time}`
}

function dateOf(ms: number): string {
  const at = new Date(ms)
  return `${at.getFullYear()}-${digits(at.getMonth() + 1)}-${digits(at.getDate())}`
}

function digits(value: number): string {
  return String(value).padStart(2, '0')
}
