import { EVENT_TYPES } from '@ariftly/events'
import { Type, type TSchema } from '@sinclair/typebox'
import {
  eventTypeSchema,
  identifierSchema,
  nullable,
  oneOf,
  scopeSchema,
  tenantSchema,
  timeSchema,
} from './primitives.ts'
import { ORDERINGS, REPLAYED_STATUSES, webhookEventsSchema, webhookFilterSchema } from './webhook-schemas.ts'

const CLOSED = { additionalProperties: false } as const

const filterMembers = {
  task_id: Type.Optional(nullable(identifierSchema)),
  session_id: Type.Optional(nullable(identifierSchema)),
  agent: Type.Optional(nullable(identifierSchema)),
} as const

const webhookMembers = {
  ...filterMembers,
  description: Type.Optional(nullable(Type.String({ maxLength: 1000 }))),
  headers: Type.Optional({
    ...nullable(
      Type.Unsafe({
        type: 'object',
        additionalProperties: { type: 'string', minLength: 1, maxLength: 2048 },
        maxProperties: 20,
      }),
    ),
    description: 'Headers that every delivery carries; none of ours and none of the connection.',
  }),
  rate_limit: Type.Optional({
    ...nullable(Type.Integer({ minimum: 1, maximum: 1000 })),
    description: 'Deliveries a second; null is no limit.',
  }),
  filter: Type.Optional(nullable(webhookFilterSchema)),
} as const

/** Body of `POST /v1/webhooks`. */
export const newWebhookSchema: TSchema = Type.Object(
  {
    url: Type.String({ format: 'uri', description: 'https, a public address, no credentials.' }),
    events: webhookEventsSchema,
    ...webhookMembers,
    enabled: Type.Optional(nullable(Type.Boolean({ default: true }))),
    ordering: Type.Optional(nullable(oneOf(ORDERINGS, '`task`: the events of one task one after another.'))),
    secret: Type.Optional({
      ...nullable(Type.String({ minLength: 8, maxLength: 256 })),
      description:
        'Printable ASCII; `whsec_…` must be base64 of at least 24 bytes. Without one, one is made. It is shown this once.',
    }),
  },
  CLOSED,
)

/** Body of `PATCH /v1/webhooks/{id}`: members that are left out stay as they are, null clears one. */
export const webhookChangesSchema: TSchema = Type.Object(
  {
    url: Type.Optional(Type.String({ format: 'uri' })),
    events: Type.Optional(webhookEventsSchema),
    ...webhookMembers,
    enabled: Type.Optional(Type.Boolean()),
    ordering: Type.Optional(oneOf(ORDERINGS)),
  },
  CLOSED,
)

/** Body of `POST …/rotate-secret`. */
export const rotateSecretSchema: TSchema = Type.Object(
  {
    secret: Type.Optional(nullable(Type.String({ minLength: 8, maxLength: 256 }))),
    overlap_hours: Type.Optional({
      ...nullable(Type.Number({ minimum: 0, maximum: 168, default: 24 })),
      description: 'How long the old secret still signs.',
    }),
  },
  CLOSED,
)

/** Body of `POST …/test`. */
export const testWebhookSchema: TSchema = Type.Object({ type: Type.Optional(nullable(eventTypeSchema)) }, CLOSED)

/** Body of `POST …/replay`. */
export const replayRequestSchema: TSchema = Type.Object(
  {
    after: Type.String({ description: 'ISO 8601; log time (when the event was appended), at most 30 days back.' }),
    before: Type.Optional(nullable(Type.String({ description: 'ISO 8601; default: now.' }))),
    types: Type.Optional(nullable(Type.Array(oneOf(EVENT_TYPES), { minItems: 1, uniqueItems: true }))),
    status: Type.Optional({
      ...nullable(oneOf(REPLAYED_STATUSES)),
      description: 'Only events whose delivery stands so.',
    }),
    dry_run: Type.Optional({ ...nullable(Type.Boolean({ default: false })), description: 'Only counts.' }),
  },
  CLOSED,
)

/** Body of `POST /v1/stream-tokens`. */
export const streamTokenRequestSchema: TSchema = Type.Object(
  {
    ...filterMembers,
    types: Type.Optional(nullable(Type.Array(eventTypeSchema, { minItems: 1, uniqueItems: true }))),
    ttl_s: Type.Optional(nullable(Type.Integer({ minimum: 10, maximum: 86_400, default: 3600 }))),
  },
  CLOSED,
)

const quotaRequest = Type.Object(
  {
    events_per_s: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 2 ** 31 - 1 }))),
    bytes_per_s: Type.Optional(nullable(Type.Integer({ minimum: 1 }))),
  },
  CLOSED,
)

/** Body of `PATCH /v1/api-keys/{id}`. */
export const apiKeyChangesSchema: TSchema = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 128 })),
    quota: Type.Optional({ ...nullable(quotaRequest), description: 'Takes the place of the whole quota.' }),
    expires_at: Type.Optional(nullable(timeSchema)),
  },
  CLOSED,
)

/** Body of `POST /v1/api-keys/{id}/rotate`. */
export const rotateApiKeySchema: TSchema = Type.Object(
  {
    overlap_hours: Type.Optional({
      ...nullable(Type.Number({ minimum: 0, maximum: 168, default: 24 })),
      description: 'How long the old secret still works.',
    }),
  },
  CLOSED,
)

/** Body of `POST /v1/api-keys`. */
export const newApiKeyRequestSchema: TSchema = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 128 }),
    scopes: Type.Array(scopeSchema, { minItems: 1, uniqueItems: true }),
    tenant: Type.Optional({
      ...nullable(tenantSchema),
      description: 'Default: your own. Another one needs `platform`.',
    }),
    expires_at: Type.Optional(nullable(timeSchema)),
    quota: Type.Optional(nullable(quotaRequest)),
  },
  CLOSED,
)
