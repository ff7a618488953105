import { createBodyReader, testWebhookSchema } from '@ariftly/contract'
import type { Egress } from '@ariftly/egress'
import { EVENT_TYPES, expandTypes, newEventId, type EventType } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { readQuery, sendJson, type ApiHandler } from '@ariftly/http'
import type { Keyring } from '@ariftly/keyring'
import type { Logger, Tracing } from '@ariftly/runtime'
import { type Pool } from '@ariftly/store'
import { drainWebhook } from '@ariftly/store/deliveries'
import { getWebhookToSend, type WebhookToSend } from '@ariftly/store/webhooks'
import { sendWebhook, STANDARD_FORMAT, type OutgoingWebhook, type SentAttempt } from '@ariftly/webhook-sending'
import { clientGone } from '../client-gone.ts'
import { renderAttempt } from '../deliveries/render-delivery.ts'
import { notFound, pathId } from '../not-found.ts'
import type { TenantGate } from '../tenant-gate.ts'

/** What sending a test takes. */
export interface TestWebhookOptions {
  readonly pool: Pool
  readonly keyring: Pick<Keyring, 'open'>
  readonly egress: Pick<Egress, 'send'>
  /** How many tests of a tenant run at the same time. */
  readonly gate: TenantGate
  readonly log: Pick<Logger, 'error' | 'info'>
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
  readonly now?: () => number
}

/** As long as a delivery's attempt may take. */
const TIMEOUT_MS = 15_000

const readTest = createBodyReader(testWebhookSchema, { optional: true })

/**
 * Answers `POST /v1/webhooks/{id}/test`: sends the example of a type with a fresh id, signed and with the webhook's headers
 * like any delivery, stores nothing, and answers with the attempt, failed or not. After a success its pending deliveries become due. A disabled
 * webhook can be tested too. The default type is the first that the webhook takes.
 */
export function createTestWebhook(o: TestWebhookOptions): ApiHandler {
  return async (call, _req, res) => {
    const { params, url, context } = call
    const { tenant } = call.caller
    readQuery(url, {})
    const id = pathId('whk', params['id'])
    const asked = readTest(call.body)
    const target = await getWebhookToSend(o.pool, { tenant, id })
    if (target === undefined) throw notFound('webhook')
    const { traceparent } = context
    const send = (): Promise<SentTest> => sendTest(o, { ...target, webhookId: id, tenant, traceparent }, asked.type)
    const { event, record } = await o.gate(call, send, clientGone(res))
    if (record.errorClass === null) await drainWebhook(o.pool, { webhookId: id })
    sendJson(res, 200, renderTestAttempt(event, record))
  }
}

/** The attempt of a test and the event that it sent. */
export function renderTestAttempt(
  event: Pick<OutgoingWebhook['event'], 'id' | 'type'>,
  record: SentAttempt['record'],
): Record<string, unknown> {
  const attempt = renderAttempt({ ...record, attempt: 1, probe: false, nextAttemptAtMs: null })
  return { ...attempt, event_id: event.id, event_type: event.type }
}

interface SentTest extends SentAttempt {
  readonly event: OutgoingWebhook['event']
}

async function sendTest(
  o: TestWebhookOptions,
  target: WebhookToSend & Omit<OutgoingWebhook, 'event'>,
  type: EventType = firstType(target.events),
): Promise<SentTest> {
  const nowMs = (o.now ?? Date.now)()
  const event = exampleFor(target, type, nowMs)
  const { egress, keyring, log, tracing } = o
  const trace = tracing === undefined ? undefined : { tracing }
  const sent = await sendWebhook(
    { ...target, event },
    { format: STANDARD_FORMAT, egress, keyring, log, timeoutMs: TIMEOUT_MS, nowMs, trace },
  )
  return { ...sent, event }
}

/** The first type that a webhook's `events` match. */
function firstType(events: readonly string[]): EventType {
  return expandTypes(events)?.[0] ?? EVENT_TYPES[0]
}

/** An example event that matches the webhook's filters. */
function exampleFor(
  webhook: Pick<WebhookToSend, 'taskId' | 'sessionId' | 'agent'>,
  type: EventType,
  nowMs: number,
): OutgoingWebhook['event'] {
  const ofSession = type.startsWith('session.')
  const taskId = webhook.taskId ?? (ofSession ? null : 'task_test')
  const sessionId = webhook.sessionId ?? (ofSession ? 'session_test' : null)
  const first = taskId === null ? { session_id: sessionId } : { task_id: taskId }
  const data = Buffer.from(JSON.stringify({ ...first, ...catalogue[type].example }))
  return { id: newEventId(nowMs), type, taskId, sessionId, agent: webhook.agent, data }
}
