import { createBodyReader, invalidBody, replayRequestSchema, WEBHOOK_LIMITS, type BodyError } from '@ariftly/contract'
import type { EventType } from '@ariftly/events'
import { parseInstant, type PositionInLog, type StreamIds } from '@ariftly/http'
import type { ReplayDeliveryStatus } from '@ariftly/store/replays'

/** The body of `POST /v1/webhooks/{id}/replay`. */
export interface ReplayBody {
  readonly begin: TimeBegin | PositionBegin
  /** Log time in ms, exclusive; not after now. */
  readonly beforeMs: number
  readonly types: readonly EventType[] | null
  readonly status: ReplayDeliveryStatus | null
  readonly dryRun: boolean
}

/** A replay of what was appended after a time. */
interface TimeBegin {
  /** Log time in ms, exclusive. */
  readonly afterMs: number
}

/** A replay of what follows a position of a stream. */
export interface PositionBegin {
  /** As it was given. */
  readonly text: string
  readonly place: PositionInLog
}

const DAY_MS = 86_400_000
const { replayDaysMax } = WEBHOOK_LIMITS

/** How far back a replay reaches. */
export const REPLAY_REACH_MS = replayDaysMax * DAY_MS

const readRequest = createBodyReader(replayRequestSchema)

/** Reads the body of a replay; null means absent. @throws Problem 422 that names what is wrong. */
export function readReplay(body: unknown, nowMs: number, streamIds: Pick<StreamIds, 'open'>): ReplayBody {
  const { after, from, before, types = null, status = null, dry_run: dryRun = false } = readRequest(body)
  const asked = before === undefined ? undefined : parseInstant(before)?.ceilMs
  const beforeMs = Math.min(asked ?? nowMs, nowMs)
  const rest = { beforeMs, types, status, dryRun }
  if (from !== undefined) {
    if (after !== undefined) throw invalidValue('cannot be given together with after')
    const place = streamIds.open(from)
    if (place === undefined) throw invalidValue('must be a position of a stream: the id of one of its events')
    return { begin: { text: from, place }, ...rest }
  }
  if (after === undefined) {
    throw invalidBody([{ pointer: '/after', code: 'required', message: 'is required, or from' }])
  }
  const afterMs = parseInstant(after)?.floorMs ?? Number.NaN
  const fault = spanFault({ afterMs, beforeMs, beforeGiven: asked !== undefined, nowMs })
  if (fault !== undefined) throw invalidBody([fault])
  return { begin: { afterMs }, ...rest }
}

function invalidValue(message: string): Error {
  return invalidBody([{ pointer: '/from', code: 'invalid_value', message }])
}

function spanFault(o: {
  readonly afterMs: number
  readonly beforeMs: number
  readonly beforeGiven: boolean
  readonly nowMs: number
}): BodyError | undefined {
  if (o.afterMs < o.nowMs - REPLAY_REACH_MS) {
    return { pointer: '/after', code: 'out_of_range', message: `may be at most ${replayDaysMax} days ago` }
  }
  if (o.afterMs < o.beforeMs) return undefined
  return o.beforeGiven && o.afterMs < o.nowMs
    ? { pointer: '/before', code: 'out_of_range', message: 'must be later than after' }
    : { pointer: '/after', code: 'out_of_range', message: 'must be in the past' }
}
