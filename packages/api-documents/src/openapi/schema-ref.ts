import { Type, type TSchema } from '@sinclair/typebox'
import { catalogue, EVENT_TYPES } from '@ariftly/events'
import {
  apiKeySchema,
  currentApiKeySchema,
  ingestResultsSchema,
  listSchema,
  newApiKeySchema,
  streamTokenSchema,
} from '../json-schemas/answer-schemas.ts'
import { eventSchema, newEventSchema, postedPayloadSchema } from '../json-schemas/event-schemas.ts'
import { problemSchema } from '../json-schemas/problem-schema.ts'
import {
  newApiKeyRequestSchema,
  newWebhookSchema,
  replayRequestSchema,
  rotateSecretSchema,
  streamTokenRequestSchema,
  testWebhookSchema,
  webhookChangesSchema,
} from '../json-schemas/request-schemas.ts'
import {
  attemptSchema,
  deliverySchema,
  deliveryWithAttemptsSchema,
  replaySchema,
  webhookSchema,
  webhookWithSecretSchema,
} from '../json-schemas/webhook-schemas.ts'

const SCHEMAS = {
  Event: eventSchema,
  NewEvent: newEventSchema,
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
  DeliveryWithAttempts: deliveryWithAttemptsSchema,
  Attempt: attemptSchema,
  ReplayRequest: replayRequestSchema,
  Replay: replaySchema,
  ApiKey: apiKeySchema,
  CurrentApiKey: currentApiKeySchema,
  NewApiKey: newApiKeySchema,
  NewApiKeyRequest: newApiKeyRequestSchema,
  Problem: problemSchema,
} as const

/** `components.schemas` of the document: one for each object, and one for the payload of each event type. */
export function componentSchemas(): Readonly<Record<string, TSchema>> {
  const payloads = EVENT_TYPES.map((type) => [`data.${catalogue[type].type}`, postedPayloadSchema(type)] as const)
  return { ...SCHEMAS, ...Object.fromEntries(payloads) }
}

/** A reference to a schema of {@link componentSchemas}. */
export function ref(name: keyof typeof SCHEMAS): TSchema {
  return Type.Unsafe({ $ref: `#/components/schemas/${name}` })
}

/** A page of a list of such objects. */
export function listOf(name: keyof typeof SCHEMAS): TSchema {
  return listSchema(ref(name))
}
