import { createBodyReader, invalidBody, replayRequestSchema, WEBHOOK_LIMITS, type BodyError } from '@ariftly/contract'
import type { EventType } from '@ariftly/events'
import { parseInstant } from '@ariftly/http'
import type { ReplayDeliveryStatus } from '@ariftly/store/replays'

/** The body of `POST /v1/webhooks/{id}/replay`. */
export interface ReplayBody {
  /** Log time in ms, exclusive. */
  readonly afterMs: number
  /** Log time in ms, exclusive; not after now. */
  readonly beforeMs: number
  readonly types: readonly EventType[] | null
  readonly status: ReplayDeliveryStatus | null
  readonly dryRun: boolean
}

const DAY_MS = 86_400_000

const readRequest = createBodyReader(replayRequestSchema)

/** Reads the body of a replay; null means absent. @throws Problem 422 that names what is wrong. */
export function readReplay(body: unknown, nowMs: number): ReplayBody {
  const { after, before, types = null, status = null, dry_run: dryRun = false } = readRequest(body)
  const afterMs = parseInstant(after)?.floorMs ?? Number.NaN
  const asked = before === undefined ? undefined : parseInstant(before)?.ceilMs
  const beforeMs = Math.min(asked ?? nowMs, nowMs)
  const fault = spanFault({ afterMs, beforeMs, beforeGiven: asked !== undefined, nowMs })
  if (fault !== undefined) throw invalidBody([fault])
  return { afterMs, beforeMs, types, status, dryRun }
}

function spanFault(o: {
  readonly afterMs: number
  readonly beforeMs: number
  readonly beforeGiven: boolean
  readonly nowMs: number
}): BodyError | undefined {
  const { replayDaysMax } = WEBHOOK_LIMITS
  if (o.afterMs < o.nowMs - replayDaysMax * DAY_MS) {
    return { pointer: '/after', code: 'out_of_range', message: `may be at most ${replayDaysMax} days ago` }
  }
  if (o.afterMs < o.beforeMs) return undefined
  return o.beforeGiven && o.afterMs < o.nowMs
    ? { pointer: '/before', code: 'out_of_range', message: 'must be later than after' }
    : { pointer: '/after', code: 'out_of_range', message: 'must be in the past' }
}
