import type { TenantChanges, TenantLimits } from '@ariftly/store/tenants'
import { invalidBody, judgeMembers, objectOf, type MemberRule } from '../body-members.ts'
import { escapePointer, refuse, type Judged } from '../webhooks/member-rules.ts'

const LIMIT_MAX = 1_000_000
const LIMITS = { events_per_s: 'eventsPerS', streams: 'streams', webhooks: 'webhooks' } as const

/** Reads the body of `PUT /v1/tenants/{id}`: Problem 400 without one, 422 that names everything that is wrong. */
export function readTenantRequest(body: unknown): TenantChanges {
  const given = objectOf(body)
  const errors = judgeMembers(given, RULES, undefined)
  if (errors.length > 0) throw invalidBody(errors)
  const { state, limits } = given as {
    state?: 'active' | 'suspended'
    limits?: Readonly<Record<string, number | null>>
  }
  return {
    ...(state === undefined ? {} : { state }),
    ...(limits === undefined ? {} : { limits: limitsOf(limits) }),
  }
}

const RULES: Readonly<Record<string, MemberRule<undefined>>> = {
  state: { judge: judgeState, nullable: false },
  limits: { judge: judgeLimits, nullable: false },
}

function judgeState(value: unknown): Judged<unknown> {
  if (value === 'active' || value === 'suspended') return { ok: true, value }
  return refuse('invalid_value', 'must be active or suspended')
}

function judgeLimits(value: unknown): Judged<unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return refuse('invalid_type', 'must be an object')
  }
  for (const [name, limit] of Object.entries(value)) {
    if (!Object.hasOwn(LIMITS, name)) return at(name, 'unknown_member', `is not a limit; there are: ${NAMES}`)
    if (limit !== null && !isLimit(limit)) {
      return at(name, 'invalid_value', `must be a whole number from 1 to ${LIMIT_MAX}, or null`)
    }
  }
  return { ok: true, value }
}

const NAMES = Object.keys(LIMITS).join(', ')

function at(name: string, code: string, message: string): Judged<never> {
  return refuse(code, message, `/${escapePointer(name)}`)
}

function isLimit(value: unknown): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= LIMIT_MAX
}

function limitsOf(given: Readonly<Record<string, number | null>>): Partial<TenantLimits> {
  const named = Object.entries(LIMITS).flatMap(([name, own]) => (given[name] === undefined ? [] : [[own, given[name]]]))
  return Object.fromEntries(named) as Partial<TenantLimits>
}
