import { deadLetterSchema } from '../json-schemas/dead-letter-schema.ts'
import { Type, type TSchema } from '@sinclair/typebox'
import { EVENT_TYPES } from '@ariftly/events'
import {
  apiKeySchema,
  currentApiKeySchema,
  indexSchema,
  ingestResultsSchema,
  listSchema,
  newApiKeySchema,
  streamTokenSchema,
} from '../json-schemas/answer-schemas.ts'
import { newCloudEventSchema } from '../json-schemas/cloud-event-schema.ts'
import {
  eventTypeObjectSchema,
  eventSchema,
  newEventSchemaOf,
  postedPayloadSchema,
  queriedEventSchema,
} from '../json-schemas/event-schemas.ts'
import { problemKindSchema, problemSchema } from '../json-schemas/problem-schema.ts'
import { auditEntrySchema, tenantObjectSchema } from '../json-schemas/tenant-schemas.ts'
import {
  apiKeyChangesSchema,
  newApiKeyRequestSchema,
  newWebhookSchema,
  redeliveryRequestSchema,
  replayRequestSchema,
  rotateApiKeySchema,
  rotateSecretSchema,
  streamTokenRequestSchema,
  tenantRequestSchema,
  testWebhookSchema,
  webhookChangesSchema,
} from '@ariftly/contract'
import {
  deliverySchema,
  deliveryWithAttemptsSchema,
  webhookStatsSchema,
  redeliverySchema,
  listedDeliverySchema,
  replaySchema,
  testAttemptSchema,
  webhookSchema,
  webhookWithSecretSchema,
} from '../json-schemas/webhook-schemas.ts'

const SCHEMAS = {
  Event: eventSchema,
  QueriedEvent: queriedEventSchema,
  NewEvent: newEventUnion(),
  NewCloudEvent: newCloudEventSchema,
  IngestResults: ingestResultsSchema,
  StreamToken: streamTokenSchema,
  StreamTokenRequest: streamTokenRequestSchema,
  Webhook: webhookSchema,
  WebhookWithSecret: webhookWithSecretSchema,
  NewWebhook: newWebhookSchema,
  WebhookChanges: webhookChangesSchema,
  RotateSecret: rotateSecretSchema,
  TestWebhook: testWebhookSchema,
  Delivery: deliverySchema,
  ListedDelivery: listedDeliverySchema,
  DeliveryWithAttempts: deliveryWithAttemptsSchema,
  WebhookStats: webhookStatsSchema,
  Redelivery: redeliverySchema,
  RedeliveryRequest: redeliveryRequestSchema,
  TestAttempt: testAttemptSchema,
  ReplayRequest: replayRequestSchema,
  Replay: replaySchema,
  ApiKey: apiKeySchema,
  CurrentApiKey: currentApiKeySchema,
  NewApiKey: newApiKeySchema,
  NewApiKeyRequest: newApiKeyRequestSchema,
  ApiKeyChanges: apiKeyChangesSchema,
  RotateApiKey: rotateApiKeySchema,
  Tenant: tenantObjectSchema,
  TenantRequest: tenantRequestSchema,
  AuditEntry: auditEntrySchema,
  DeadLetter: deadLetterSchema,
  EventType: eventTypeObjectSchema,
  Index: indexSchema,
  ProblemKind: problemKindSchema,
  Problem: problemSchema,
} as const

/** `components.schemas` of the document: one for each object, and two for each event type: posted, and its payload. */
export function componentSchemas(): Readonly<Record<string, TSchema>> {
  const ofTypes = EVENT_TYPES.flatMap((type) => [
    [`NewEvent.${type}`, newEventSchemaOf(type, pointTo(`data.${type}`))] as const,
    [`data.${type}`, postedPayloadSchema(type)] as const,
  ])
  return { ...SCHEMAS, ...Object.fromEntries(ofTypes) }
}

/** An event of any type, told apart by its `type`. */
function newEventUnion(): TSchema {
  const names = EVENT_TYPES.map((type) => [type, `NewEvent.${type}`] as const)
  return Type.Unsafe({
    oneOf: names.map(([, name]) => pointTo(name)),
    discriminator: {
      propertyName: 'type',
      mapping: Object.fromEntries(names.map(([type, name]) => [type, `#/components/schemas/${name}`])),
    },
  })
}

function pointTo(name: string): TSchema {
  return Type.Unsafe({ $ref: `#/components/schemas/${name}` })
}

/** A reference to a schema of {@link componentSchemas}. */
export function ref(name: keyof typeof SCHEMAS): TSchema {
  return pointTo(name)
}

/** A page of a list of such objects. */
export function listOf(name: keyof typeof SCHEMAS): TSchema {
  return listSchema(ref(name))
}
