import { isEventType, type EventType } from '@ariftly/events'
import { parseInstant, type ProblemError } from '@ariftly/http'
import type { ReplayDeliveryStatus } from '@ariftly/store/replays'
import { invalidBody, judgeMembers, objectOf, withoutNulls, type MemberRule } from '../body-members.ts'
import { judgeBoolean, refuse, type Judged } from '../webhooks/member-rules.ts'
import { WEBHOOK_LIMITS } from '../webhooks/webhook-limits.ts'

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
const STATUSES = ['delivered', 'failed', 'cancelled'] as const

const RULES: Readonly<Record<string, MemberRule<undefined>>> = {
  after: { judge: judgeTime, nullable: false },
  before: { judge: judgeTime, nullable: false },
  types: { judge: judgeTypes, nullable: false },
  status: { judge: judgeStatus, nullable: false },
  dry_run: { judge: judgeBoolean, nullable: false },
}

/** Reads the body of a replay; null means absent. Throws a `Problem` 422 that names every member that is wrong. */
export function readReplay(body: unknown, nowMs: number): ReplayBody {
  const given = withoutNulls(objectOf(body))
  const errors = judgeMembers(given, RULES, undefined)
  const { after, before } = given
  const afterMs = typeof after === 'string' ? parseInstant(after)?.floorMs : undefined
  const asked = typeof before === 'string' ? parseInstant(before)?.ceilMs : undefined
  const beforeMs = Math.min(asked ?? nowMs, nowMs)
  if (after === undefined) errors.push({ pointer: '/after', code: 'required', message: 'is required' })
  if (afterMs !== undefined) errors.push(...judgeSpan(afterMs, beforeMs, asked !== undefined, nowMs))
  if (errors.length > 0 || afterMs === undefined) throw invalidBody(errors)
  return {
    afterMs,
    beforeMs,
    types: (given['types'] ?? null) as readonly EventType[] | null,
    status: (given['status'] ?? null) as ReplayDeliveryStatus | null,
    dryRun: given['dry_run'] === true,
  }
}

function judgeSpan(afterMs: number, beforeMs: number, beforeGiven: boolean, nowMs: number): ProblemError[] {
  const { replayDaysMax } = WEBHOOK_LIMITS
  if (afterMs < nowMs - replayDaysMax * DAY_MS) {
    return [{ pointer: '/after', code: 'too_old', message: `may be at most ${replayDaysMax} days ago` }]
  }
  if (afterMs < beforeMs) return []
  if (beforeGiven && afterMs < nowMs) {
    return [{ pointer: '/before', code: 'out_of_range', message: 'must be later than after' }]
  }
  return [{ pointer: '/after', code: 'in_the_future', message: 'must be in the past' }]
}

function judgeTime(value: unknown): Judged<unknown> {
  if (typeof value !== 'string') return refuse('invalid_type', 'must be a string')
  const good = parseInstant(value) !== undefined
  return good ? { ok: true, value } : refuse('invalid_format', 'must be an ISO 8601 date and time')
}

function judgeTypes(value: unknown): Judged<unknown> {
  if (!Array.isArray(value)) return refuse('invalid_type', 'must be an array of event types')
  if (value.length === 0) return refuse('too_few', 'must name at least one event type')
  for (const [index, entry] of (value as readonly unknown[]).entries()) {
    if (typeof entry !== 'string') return refuse('invalid_type', 'must be a string', `/${index}`)
    if (!isEventType(entry)) return refuse('unknown_type', 'is no event type', `/${index}`)
    if (value.indexOf(entry) !== index) return refuse('duplicate', 'stands more than once', `/${index}`)
  }
  return { ok: true, value }
}

function judgeStatus(value: unknown): Judged<unknown> {
  if (typeof value !== 'string') return refuse('invalid_type', 'must be a string')
  const good = STATUSES.some((status) => status === value)
  return good ? { ok: true, value } : refuse('invalid_value', `must be one of ${STATUSES.join(', ')}`)
}
