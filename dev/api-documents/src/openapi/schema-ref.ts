import { deadLetterSchema } from '../json-schemas/dead-letter-schema.ts'
import { Type, type TSchema } from '@sinclair/typebox'
import { EVENT_TYPES, LIMITS } from '@ariftly/events'
import {
  acceptedEntrySchema,
  apiKeySchema,
  currentApiKeySchema,
  indexSchema,
  ingestResultsSchema,
  listSchema,
  newApiKeySchema,
  refusedEntrySchema,
  streamTokenSchema,
} from '../json-schemas/answer-schemas.ts'
import { newCloudEventSchema } from '../json-schemas/cloud-event-schema.ts'
import { eventDeliverySchema } from '../json-schemas/event-delivery-schema.ts'
import {
  eventLogSchema,
  eventTypeObjectSchema,
  newEventSchemaOf,
  otherEventSchema,
  postedPayloadSchema,
  readEventSchemaOf,
  taskSchema,
} from '../json-schemas/event-schemas.ts'
import { filterSchemas } from '../json-schemas/filter-schemas.ts'
import { problemKindSchema, problemSchema } from '../json-schemas/problem-schema.ts'
import { systemSchema } from '../json-schemas/system-schema.ts'
import { auditEntrySchema, tenantObjectSchema } from '../json-schemas/tenant-schemas.ts'
import {
  apiKeyChangesSchema,
  CHECK_KEYWORD,
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

const OTHER_EVENT = 'Event.other'

const SCHEMAS = {
  Event: readEventUnion(),
  EventLog: eventLogSchema,
  EventDelivery: eventDeliverySchema,
  Task: taskSchema(pointTo('Event.task.created'), pointTo('Event')),
  NewEvent: newEventUnion(),
  NewEvents: oneOrSeveral(),
  NewCloudEvent: newCloudEventSchema,
  IngestResults: ingestResultsSchema(pointTo('AcceptedEntry'), pointTo('RefusedEntry')),
  AcceptedEntry: acceptedEntrySchema,
  RefusedEntry: refusedEntrySchema,
  StreamToken: streamTokenSchema,
  StreamTokenRequest: streamTokenRequestSchema,
  Webhook: webhookSchema,
  WebhookWithSecret: webhookWithSecretSchema,
  NewWebhook: newWebhookSchema,
  WebhookChanges: webhookChangesSchema,
  ...filterSchemas,
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
  System: systemSchema,
  EventTypeDescription: eventTypeObjectSchema,
  Index: indexSchema,
  ProblemKind: problemKindSchema,
  Problem: problemSchema,
} as const

/** `components.schemas` of the document: one for each object, and three for each event type: posted, read, and its payload. */
export function componentSchemas(): Readonly<Record<string, TSchema>> {
  const ofTypes = EVENT_TYPES.flatMap((type) => [
    [`Event.${type}`, readEventSchemaOf(type, pointTo(`data.${type}`))] as const,
    [`NewEvent.${type}`, newEventSchemaOf(type, pointTo(`data.${type}`))] as const,
    [`data.${type}`, postedPayloadSchema(type)] as const,
  ])
  const schemas = { ...SCHEMAS, ...Object.fromEntries(ofTypes), [OTHER_EVENT]: otherEventSchema }
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, asComponent(schema)]))
}

/**
 * An event of any type in answers. An event of a known type fits the last member too, so this is no `oneOf`; there is no
 * discriminator, as a generated client would refuse a type that the mapping does not name.
 */
function readEventUnion(): TSchema {
  const names = [...EVENT_TYPES.map((type) => `Event.${type}`), OTHER_EVENT]
  return Type.Unsafe({
    description:
      'An event; `type` selects the alternative. More types may be added: the last alternative is an event of any type. Events never change; members added by `include` do.',
    anyOf: names.map(pointTo),
  })
}

/** An event of any type, distinguished by its `type`. */
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

/** A component of its own: oapi-codegen gives a union in the place of a body no way to be written. */
function oneOrSeveral(): TSchema {
  const item = pointTo('NewEvent')
  return Type.Unsafe({
    description: 'One event, or several.',
    anyOf: [item, Type.Array(item, { minItems: 1, maxItems: LIMITS.eventsPerRequestMax })],
  })
}

function pointTo(name: string): TSchema {
  return Type.Unsafe({ $ref: `#/components/schemas/${name}` })
}

/**
 * A schema as a component: with a payload filter in it as a reference, as bodies are read by a schema that leaves the filter to a check; and
 * without a title, which some generators take for a name in the place of the component's; with the size of numbers.
 */
function asComponent({ title: _title, ...schema }: TSchema): TSchema {
  return JSON.parse(JSON.stringify(schema), (_name, part: unknown) => {
    if (typeof part !== 'object' || part === null) return part
    if (CHECK_KEYWORD in part && part[CHECK_KEYWORD] === 'filter')
      return { anyOf: [pointTo('WebhookFilter'), { type: 'null' }] }
    return isNumber(part) ? { ...part, format: 'double' } : part
  }) as TSchema
}

/** Without a format Go clients keep 32 bits of a number. */
function isNumber(part: object): boolean {
  return 'type' in part && [part.type].flat().includes('number')
}

/** A reference to a schema of {@link componentSchemas}. */
export function ref(name: keyof typeof SCHEMAS): TSchema {
  return pointTo(name)
}

/** A page of a list of such objects. */
export function listOf(name: keyof typeof SCHEMAS): TSchema {
  return listSchema(ref(name))
}
