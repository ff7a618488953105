import { checkWebhookUrl, type EgressPolicy } from '@ariftly/egress'
import { checkSecret } from '@ariftly/signatures'
import { validateFilter, type WebhookFilter } from '@ariftly/webhook-filter'
import { invalidBody, judgeMembers, objectOf, unknownMember, withoutNulls, type MemberRule } from '../body-members.ts'
import {
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
  readonly filter?: WebhookFilter | null
  readonly secret?: string
}

/** Like `WebhookBody`, with what a new webhook must have. */
export type NewWebhookBody = WebhookBody & Required<Pick<WebhookBody, 'url' | 'events'>>

const RULES: Readonly<Record<keyof WebhookBody, MemberRule<EgressPolicy>>> = {
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
  filter: { judge: judgeFilter, nullable: true },
  secret: { judge: judgeSecret, nullable: false },
}

/** Reads the body of `POST /v1/webhooks`. Throws a `Problem` 422 that names every member that is wrong. */
export function readNewWebhook(body: unknown, policy: EgressPolicy): NewWebhookBody {
  const given = withoutNulls(objectOf(body))
  const errors = judgeMembers(given, RULES, policy)
  for (const name of ['url', 'events']) {
    if (given[name] === undefined) errors.push({ pointer: `/${name}`, code: 'required', message: 'is required' })
  }
  if (errors.length > 0) throw invalidBody(errors)
  return given as unknown as NewWebhookBody
}

/** Reads the body of `PATCH /v1/webhooks/{id}`. The secret is not changed here. Throws a `Problem` 422. */
export function readWebhookChanges(body: unknown, policy: EgressPolicy): Omit<WebhookBody, 'secret'> {
  const given = objectOf(body)
  const { secret: _, ...changeable } = RULES
  const errors = judgeMembers(given, changeable, policy, notChangeable)
  if (errors.length > 0) throw invalidBody(errors)
  return given
}

function notChangeable(name: string): Judged<never> {
  if (name === 'secret') return refuse('not_changeable', 'is changed with POST …/rotate-secret')
  return unknownMember(name)
}

function judgeUrl(value: unknown, policy: EgressPolicy): Judged<unknown> {
  if (typeof value !== 'string') return refuse('invalid_type', 'must be a string')
  const verdict = checkWebhookUrl(value, policy)
  return verdict.ok ? { ok: true, value } : refuse(verdict.code, verdict.message)
}

/** A payload filter. The first of its faults is told. */
function judgeFilter(value: unknown): Judged<unknown> {
  const [fault] = validateFilter(value)
  return fault === undefined ? { ok: true, value } : refuse(fault.code, fault.message, fault.pointer)
}

/** A subscriber's own secret. */
export function judgeSecret(value: unknown): Judged<unknown> {
  if (typeof value !== 'string') return refuse('invalid_type', 'must be a string')
  const verdict = checkSecret(value)
  return verdict.ok ? { ok: true, value } : refuse('invalid_secret', verdict.message)
}
