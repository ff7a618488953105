import {
  apiKeyObject,
  currentApiKeyObject,
  newApiKeyObject,
  problemDocument,
  renderAuditEntry,
  renderDelivery,
  renderEventType,
  renderIndex,
  renderList,
  renderRedelivery,
  renderReplay,
  renderSingleDelivery,
  renderSystem,
  renderTenant,
  renderTestAttempt,
  renderWebhook,
  renderWebhookStats,
  renderWith,
  renderTask,
  renderWithAttempts,
  renderWithSecret,
  toDeadLetter,
} from '@ariftly-services/api/answers'
import { renderResults, type EntryResult } from '@ariftly-services/ingest/answers'
import { renderStreamToken } from '@ariftly-services/stream-gateway/answers'
import { generateApiKey } from '@ariftly/auth'
import { renderEvent } from '@ariftly/events'
import type { Caller } from '@ariftly/http'
import { EVENT_ID, EXAMPLE_MS, exampleRows, WEBHOOK_ID } from './example-rows.ts'

const { event, webhook, delivery, attempt, apiKey, figures } = exampleRows
const BUCKET_MS = 60_000

/**
 * Examples of answers, by the schema of the OpenAPI document that they are of. They are rendered by the functions of the services that
 * render answers.
 * @param version of the API.
 */
export function serviceAnswers(version: string): Readonly<Record<string, unknown>> {
  return {
    Event: parsed(renderEvent(event)),
    EventWithIncluded: parsed(renderWith(event, { log: true, place: false, deliveries: true }, [delivery])),
    Task: parsed(renderTask(exampleRows.task)),
    EventTypeDescription: renderEventType('task.progress'),
    Webhook: renderWebhook(webhook),
    WebhookWithSecret: renderWithSecret(webhook, 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'),
    WebhookStats: renderWebhookStats({
      webhookId: WEBHOOK_ID,
      window: '1h',
      fromMs: EXAMPLE_MS - (EXAMPLE_MS % BUCKET_MS) - BUCKET_MS,
      toMs: EXAMPLE_MS,
      bucketMs: BUCKET_MS,
      // Two of the sixty are enough for a reader.
      byBucket: [figures, { ...figures, errors: [] }],
    }),
    Delivery: renderDelivery(delivery),
    ListedDelivery: renderWithAttempts(delivery, [attempt]),
    DeliveryWithAttempts: renderSingleDelivery(delivery, [attempt]),
    TestAttempt: renderTestAttempt({ id: EVENT_ID, type: 'task.progress' }, attempt),
    Redelivery: renderRedelivery(exampleRows.redelivery),
    Replay: renderReplay(exampleRows.replay),
    ApiKey: apiKeyObject(apiKey),
    NewApiKey: newApiKeyObject(apiKey, generateApiKey((bytes) => Buffer.alloc(bytes, 7)).key),
    CurrentApiKey: currentApiKeyObject(CALLER),
    Tenant: renderTenant(exampleRows.tenant),
    AuditEntry: renderAuditEntry(exampleRows.auditEntry),
    DeadLetter: deadLetter(),
    System: renderSystem(exampleRows.system),
    Index: renderIndex(version),
    ProblemKind: problemDocument('quota_exceeded'),
    StreamToken: renderStreamToken(
      'st_Zk1dT3q7mXbYw0c5VhJtQnR2sLpA9eUu',
      { taskId: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5' },
      EXAMPLE_MS + 60 * 60_000,
    ),
  }
}

/** An answer to a post: 202 if all of its events were accepted, 207 if one was refused. */
export function exampleResults(status: 202 | 207): unknown {
  const accepted: EntryResult = { status: 'accepted', id: EVENT_ID }
  const refused: EntryResult = {
    status: 'refused',
    error: { code: 'required', pointer: '/task_id', message: 'is required' },
  }
  const results = status === 202 ? [accepted] : [accepted, refused]
  return JSON.parse(renderResults(results, { single: false, unwritten: 'log_unavailable' }).body)
}

/** A problem with this code, as its page shows it; undefined for an unknown code. */
export function problemExample(code: string): object | undefined {
  return problemDocument(code)?.example
}

/** A page of a list that holds one entry and is followed by others. */
export function examplePage(entry: unknown): unknown {
  return parsed(renderList([Buffer.from(JSON.stringify(entry))], 'v1.hV3n0YdQ'))
}

/** A page of a list that holds one entry and is the only one. */
export function exampleWholeList(entry: unknown): unknown {
  return parsed(renderList([Buffer.from(JSON.stringify(entry))], null))
}

const CALLER: Caller = {
  keyId: apiKey.id,
  secret: 1,
  tenant: apiKey.tenant,
  scopes: ['events:write', 'events:read'],
  quota: apiKey.quota,
  limits: { eventsPerS: null, streams: null, webhooks: null },
  suspended: false,
  expiresAtMs: apiKey.expiresAtMs,
  endsAtMs: null,
}

function deadLetter(): unknown {
  return toDeadLetter({
    partition: 0,
    offset: 17,
    timestampMs: EXAMPLE_MS,
    key: Buffer.from('acme/task_01j9x8k2m4e7s9v0w1x2y3z4a5'),
    value: Buffer.from('{"message":"Analyzing'),
    headers: {
      ce_source: Buffer.from('/tenants/acme/agents/analyzer'),
      dlq_reason: Buffer.from('value_not_json_object'),
      dlq_detail: Buffer.from('the value is not a JSON object'),
      dlq_partition: Buffer.from('3'),
      dlq_offset: Buffer.from('1204'),
    },
  })
}

function parsed(json: Buffer): unknown {
  return JSON.parse(json.toString())
}
