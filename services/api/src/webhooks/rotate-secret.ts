import { Problem, readQuery } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import { generateSecret } from '@ariftly/signatures'
import { rotateWebhookSecret } from '@ariftly/store/webhooks'
import { webhookAad } from '@ariftly/webhook-sending'
import { invalidBody, judgeMembers, objectOf, withoutNulls, type MemberRule } from '../body-members.ts'
import { notFound } from '../not-found.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { isWebhookId } from './find-webhook.ts'
import { refuse, type Judged } from './member-rules.ts'
import { renderWebhook } from './render-webhook.ts'
import { judgeSecret } from './webhook-body.ts'
import { WEBHOOK_LIMITS } from './webhook-limits.ts'

const OVERLAP_HOURS = 24
const HOUR_MS = 3_600_000

/**
 * Answers `POST /v1/webhooks/{id}/rotate-secret`: the webhook and, this once, its new secret. Until the overlap ends the
 * old secret signs too (`X-Ariftly-Signature` with it alone), and a further rotation is 409.
 */
export function createRotateSecret(o: { keyring: Pick<Keyring, 'seal'> }): WriteHandler {
  return async ({ caller: { tenant }, params, url, body }, tx) => {
    readQuery(url, {})
    const id = params['id'] ?? ''
    if (!isWebhookId(id)) throw notFound('webhook')
    const { secret = generateSecret(), overlap_hours: overlapHours = OVERLAP_HOURS } = readRotation(body)
    const sealed = o.keyring.seal(Buffer.from(secret), webhookAad(tenant, id))
    const row = await rotateWebhookSecret(tx, { tenant, id, secret: sealed, overlapMs: overlapHours * HOUR_MS })
    if (row === 'not_found') throw notFound('webhook')
    if (row === 'under_way') throw underWay()
    return {
      status: 200,
      body: { ...renderWebhook(row), secret },
      audit: { action: 'webhook.rotate_secret', target: id, tenant },
    }
  }
}

interface Rotation {
  readonly secret?: string
  readonly overlap_hours?: number
}

const RULES: Readonly<Record<keyof Rotation, MemberRule<undefined>>> = {
  secret: { judge: judgeSecret, nullable: false },
  overlap_hours: { judge: judgeOverlap, nullable: false },
}

/** An empty body asks for the defaults, and null means absent. */
function readRotation(body: unknown): Rotation {
  const given = withoutNulls(objectOf(body, { optional: true }))
  const errors = judgeMembers(given, RULES, undefined)
  if (errors.length > 0) throw invalidBody(errors)
  return given
}

function judgeOverlap(value: unknown): Judged<unknown> {
  if (typeof value !== 'number') return refuse('invalid_type', 'must be a number')
  const max = WEBHOOK_LIMITS.overlapHoursMax
  return value >= 0 && value <= max ? { ok: true, value } : refuse('out_of_range', `must be from 0 to ${max}`)
}

function underWay(): Problem {
  return new Problem(409, 'rotation_under_way', {
    detail: 'The secret before the current one still signs: rotate again when its overlap has ended.',
  })
}
