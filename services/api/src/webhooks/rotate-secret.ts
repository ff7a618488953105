import { createBodyReader, rotateSecretSchema } from '@ariftly/contract'
import { Problem, readQuery } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import { generateSecret } from '@ariftly/signatures'
import { rotateWebhookSecret } from '@ariftly/store/webhooks'
import { webhookAad } from '@ariftly/webhook-sending'
import { notFound } from '../not-found.ts'
import type { WriteHandler } from '../writes/write-handler.ts'
import { isWebhookId } from '../find-webhook.ts'
import { renderWithSecret } from './render-webhook.ts'

const OVERLAP_HOURS = 24
const HOUR_MS = 3_600_000

const readRotation = createBodyReader(rotateSecretSchema, { optional: true })

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
      body: renderWithSecret(row, secret),
      audit: { action: 'webhook.rotate_secret', target: id, tenant },
    }
  }
}

function underWay(): Problem {
  return new Problem(409, 'rotation_under_way', {
    detail: 'The secret before the current one still signs: rotate again when its overlap has ended.',
  })
}
