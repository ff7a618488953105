import { checkWebhookUrl, type EgressPolicy } from '@ariftly/egress'
import { Problem, type ProblemError } from '@ariftly/http'
import { checkSecret } from '@ariftly/signatures'
import {
  escapePointer,
  judgeBoolean,
  judgeDescription,
  judgeEvents,
  judgeHeaders,
  judgeIdentifier,
  judgeOrdering,
  judgeRateLimit,
  refuse,
  type Judged,
} from './member-rules.ts'

/** The members of a webhook's body that were given; null clears one. */
export interface WebhookBody {
  readonly url?: string
  readonly events?: readonly string[]
  readonly task_id?: string | null
  readonly session_id?: string | null
  readonly agent?: string | null
  readonly description?: string | null
  readonly enabled?: boolean
  readonly headers?: Readonly<Record<string, string>> | null
  readonly rate_limit?: number | null
  readonly ordering?: 'none' | 'task'
  readonly secret?: string
}

/** Like `WebhookBody`, with what a new webhook must have. */
export type NewWebhookBody = WebhookBody & Required<Pick<WebhookBody, 'url' | 'events'>>

interface MemberRule {
  readonly judge: (value: unknown, policy: EgressPolicy) => Judged<unknown>
  /** Whether null clears it; else null is refused in a change. At creation null means absent. */
  readonly nullable: boolean
}

const RULES: Readonly<Record<keyof WebhookBody, MemberRule>> = {
  url: { judge: judgeUrl, nullable: false },
  events: { judge: judgeEvents, nullable: false },
  task_id: { judge: judgeIdentifier, nullable: true },
  session_id: { judge: judgeIdentifier, nullable: true },
  agent: { judge: judgeIdentifier, nullable: true },
  description: { judge: judgeDescription, nullable: true },
  enabled: { judge: judgeBoolean, nullable: false },
  headers: { judge: judgeHeaders, nullable: true },
  rate_limit: { judge: judgeRateLimit, nullable: true },
  ordering: { judge: judgeOrdering, nullable: false },
  secret: { judge: judgeSecret, nullable: false },
}

/** Reads the body of `POST /v1/webhooks`. Throws a `Problem` 422 that names every member that is wrong. */
export function readNewWebhook(body: unknown, policy: EgressPolicy): NewWebhookBody {
  const given = Object.fromEntries(Object.entries(objectOf(body)).filter(([, value]) => value !== null))
  const errors = judgeMembers(given, policy, Object.keys(RULES))
  for (const name of ['url', 'events']) {
    if (given[name] === undefined) errors.push({ pointer: `/${name}`, code: 'required', message: 'is required' })
  }
  if (errors.length > 0) throw invalidBody(errors)
  return given as unknown as NewWebhookBody
}

/** Reads the body of `PATCH /v1/webhooks/{id}`. The secret is not changed here. Throws a `Problem` 422. */
export function readWebhookChanges(body: unknown, policy: EgressPolicy): Omit<WebhookBody, 'secret'> {
  const given = objectOf(body)
  const errors = judgeMembers(
    given,
    policy,
    Object.keys(RULES).filter((name) => name !== 'secret'),
  )
  if (errors.length > 0) throw invalidBody(errors)
  return given
}

function objectOf(body: unknown): Readonly<Record<string, unknown>> {
  if (body === undefined) throw new Problem(400, 'malformed_json', { detail: 'The body is empty.' })
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  throw invalidBody([{ pointer: '', code: 'invalid_type', message: 'must be an object' }])
}

function judgeMembers(
  given: Readonly<Record<string, unknown>>,
  policy: EgressPolicy,
  known: readonly string[],
): ProblemError[] {
  const errors: ProblemError[] = []
  for (const [name, value] of Object.entries(given)) {
    const rule = known.includes(name) ? RULES[name as keyof WebhookBody] : undefined
    const judged = rule === undefined ? unknownMember(name) : judgeMember(rule, value, policy)
    if (judged.ok) continue
    const { code, message, path = '' } = judged
    errors.push({ pointer: `/${escapePointer(name)}${path}`, code, message })
  }
  return errors
}

function judgeMember(rule: MemberRule, value: unknown, policy: EgressPolicy): Judged<unknown> {
  if (value !== null) return rule.judge(value, policy)
  return rule.nullable ? { ok: true, value } : refuse('invalid_type', 'cannot be null')
}

function unknownMember(name: string): Judged<never> {
  if (name === 'secret') return refuse('not_changeable', 'is changed with POST …/rotate-secret')
  return refuse('unknown_member', 'is not a member that can be set here')
}

function judgeUrl(value: unknown, policy: EgressPolicy): Judged<unknown> {
  if (typeof value !== 'string') return refuse('invalid_type', 'must be a string')
  const verdict = checkWebhookUrl(value, policy)
  return verdict.ok ? { ok: true, value } : refuse(verdict.code, verdict.message)
}

function judgeSecret(value: unknown): Judged<unknown> {
  if (typeof value !== 'string') return refuse('invalid_type', 'must be a string')
  const verdict = checkSecret(value)
  return verdict.ok ? { ok: true, value } : refuse('invalid_secret', verdict.message)
}

function invalidBody(errors: readonly ProblemError[]): Problem {
  const names = errors.map(({ pointer }) => (pointer === '' ? 'the body' : pointer)).join(', ')
  return new Problem(422, 'invalid_body', { detail: `Cannot be taken: ${names}.`, errors })
}
