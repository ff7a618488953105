import { ERROR_CLASSES } from '@ariftly/egress/outcome'
import { EVENT_TYPES, FILTER_NAMES, type NamedFilter } from '@ariftly/events'
import { Type, type Static, type TOptionalWithFlag, type TSchema, type TUnsafe } from '@sinclair/typebox'
import { checkedBy } from './checks.ts'
import { API_KEY_LIMITS, STREAM_TOKEN_LIMITS, TENANT_LIMIT_MAX, WEBHOOK_LIMITS } from './limits.ts'
import {
  described,
  eventTypeSchema,
  identifierSchema,
  nullable,
  oneOf,
  scopeSchema,
  tenantSchema,
  timeInputSchema,
  typeIdSchema,
} from './primitives.ts'
import { TYPE_LIST } from './shapes.ts'
import {
  ORDERINGS,
  REDELIVERED_STATUSES,
  REPLAYED_STATUSES,
  webhookEventsSchema,
  webhookFilterSchema,
} from './webhook-words.ts'

const CLOSED = { additionalProperties: false } as const

/** A member that may be left out. */
function optional<S extends TSchema>(schema: S, description?: string): TOptionalWithFlag<S, true> {
  return Type.Optional(description === undefined ? schema : described(schema, description))
}

/** A member that may be left out or null. */
function optionalOrNull<S extends TSchema>(
  schema: S,
  description?: string,
): TOptionalWithFlag<TUnsafe<Static<S> | null>, true> {
  return optional(nullable(schema), description)
}

const filterMembers = Object.fromEntries(
  Object.values(FILTER_NAMES).map((name) => [name, optionalOrNull(identifierSchema)]),
) as { readonly [N in keyof NamedFilter]: TOptionalWithFlag<TUnsafe<string | null>, true> }

const headersSchema = checkedBy(
  'headers',
  Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    additionalProperties: { type: 'string', minLength: 1, maxLength: WEBHOOK_LIMITS.headerValueCharsMax },
    maxProperties: WEBHOOK_LIMITS.headersMax,
  }),
)

const urlSchema = checkedBy('url', Type.String({ format: 'uri' }))
const secretSchema = checkedBy('secret', Type.String({ minLength: 8, maxLength: 256 }))

const webhookMembers = {
  ...filterMembers,
  description: optionalOrNull(checkedBy('text', Type.String({ maxLength: WEBHOOK_LIMITS.descriptionCharsMax }))),
  headers: optionalOrNull(
    headersSchema,
    'Headers that are added to every delivery; not headers that the service or the connection sets.',
  ),
  rate_limit: optionalOrNull(
    Type.Integer({ minimum: 1, maximum: WEBHOOK_LIMITS.rateLimitMax }),
    'Deliveries a second; null is no limit.',
  ),
  filter: optionalOrNull(webhookFilterSchema),
}

/** Body of `POST /v1/webhooks`. */
export const newWebhookSchema = Type.Object(
  {
    url: described(urlSchema, 'https, a public address, no credentials.'),
    events: webhookEventsSchema,
    ...webhookMembers,
    enabled: optionalOrNull(Type.Boolean(), 'Default: true.'),
    ordering: optionalOrNull(oneOf(ORDERINGS, '`task`: the events of one task one after another. Default: `none`.')),
    secret: optionalOrNull(
      secretSchema,
      'Printable ASCII; `whsec_…` must be base64 of at least 24 bytes. Without one a secret is generated. It is shown once.',
    ),
  },
  CLOSED,
)

/** Body of `PATCH /v1/webhooks/{id}`: members that are left out stay as they are, null clears one. */
export const webhookChangesSchema = Type.Object(
  {
    url: optional(urlSchema),
    events: optional(webhookEventsSchema),
    ...webhookMembers,
    enabled: optional(Type.Boolean()),
    ordering: optional(oneOf(ORDERINGS)),
  },
  CLOSED,
)

/** Body of `POST …/rotate-secret`. */
export const rotateSecretSchema = Type.Object(
  {
    secret: optionalOrNull(secretSchema),
    overlap_hours: optionalOrNull(
      Type.Number({ minimum: 0, maximum: WEBHOOK_LIMITS.overlapHoursMax }),
      'How long the old secret still signs. Default: 24.',
    ),
  },
  CLOSED,
)

/** Body of `POST …/test`. */
export const testWebhookSchema = Type.Object({ type: optionalOrNull(eventTypeSchema) }, CLOSED)

/** The body of a route that takes no members: none, or `{}`. */
export const emptySchema = Type.Object({}, CLOSED)

/** Body of `POST …/replay`. */
export const replayRequestSchema = Type.Object(
  {
    after: optionalOrNull(
      timeInputSchema,
      `ISO 8601; only events that were appended to the log after this time (exclusive), at most ${WEBHOOK_LIMITS.replayDaysMax} days back. Give exactly one of \`after\` and \`from\`.`,
    ),
    from: optionalOrNull(
      Type.String({
        minLength: 1,
        description: 'A position of a stream (the `id` of an event there): exactly the events after it.',
      }),
    ),
    before: optionalOrNull(
      timeInputSchema,
      'ISO 8601; only events that were appended to the log before this time (exclusive); default: now.',
    ),
    types: optionalOrNull(Type.Array(oneOf(EVENT_TYPES), { minItems: 1, uniqueItems: true })),
    status: optionalOrNull(oneOf(REPLAYED_STATUSES), 'Only events whose delivery has this status.'),
    dry_run: optionalOrNull(Type.Boolean(), 'Only counts. Default: false.'),
  },
  CLOSED,
)

/** Body of `POST /v1/stream-tokens`. */
export const streamTokenRequestSchema = Type.Object(
  {
    ...filterMembers,
    types: optionalOrNull(Type.Array(eventTypeSchema, { minItems: 1, uniqueItems: true })),
    ttl_s: optionalOrNull(
      Type.Integer({ minimum: STREAM_TOKEN_LIMITS.ttlSMin, maximum: STREAM_TOKEN_LIMITS.ttlSMax }),
      `Seconds. Default: ${STREAM_TOKEN_LIMITS.ttlSDefault}.`,
    ),
  },
  CLOSED,
)

const keyNameSchema = checkedBy('label', Type.String({ minLength: 1, maxLength: API_KEY_LIMITS.nameCharsMax }))

const quotaSchema = Type.Object(
  {
    events_per_s: optionalOrNull(Type.Integer({ minimum: 1, maximum: API_KEY_LIMITS.eventsPerSMax })),
    bytes_per_s: optionalOrNull(Type.Integer({ minimum: 1, maximum: API_KEY_LIMITS.bytesPerSMax })),
  },
  CLOSED,
)

/** Body of `PATCH /v1/api-keys/{id}`. */
export const apiKeyChangesSchema = Type.Object(
  {
    name: optional(keyNameSchema),
    quota: optionalOrNull(quotaSchema, 'Replaces the whole quota.'),
    expires_at: optionalOrNull(timeInputSchema),
  },
  CLOSED,
)

/** Body of `POST /v1/api-keys/{id}/rotate`. */
export const rotateApiKeySchema = Type.Object(
  {
    overlap_hours: optionalOrNull(
      Type.Number({ minimum: 0, maximum: API_KEY_LIMITS.overlapHoursMax }),
      'How long the old secret still works. Default: 24.',
    ),
  },
  CLOSED,
)

/** Body of `POST /v1/api-keys`. */
export const newApiKeyRequestSchema = Type.Object(
  {
    name: keyNameSchema,
    scopes: Type.Array(scopeSchema, { minItems: 1, uniqueItems: true }),
    tenant: optionalOrNull(tenantSchema, 'Default: your own. Another one needs `platform`.'),
    expires_at: optionalOrNull(timeInputSchema),
    quota: optionalOrNull(quotaSchema),
  },
  CLOSED,
)

/** What a tenant can be put to. */
const TENANT_STATES = ['active', 'suspended'] as const
const tenantLimitSchema = nullable(Type.Integer({ minimum: 1, maximum: TENANT_LIMIT_MAX }))

/** Body of `PUT /v1/tenants/{id}`. */
export const tenantRequestSchema = Type.Object(
  {
    state: optional(oneOf(TENANT_STATES)),
    limits: optional(
      Type.Object(
        {
          events_per_s: optional(tenantLimitSchema, 'Over all keys and replicas; null: no limit.'),
          streams: optional(tenantLimitSchema, 'Open streams over all gateways; null: the setting.'),
          webhooks: optional(tenantLimitSchema, 'Null: 100.'),
          api_keys: optional(tenantLimitSchema, 'Keys that are not revoked; null: 1,000.'),
        },
        CLOSED,
      ),
    ),
  },
  CLOSED,
)

/** Body of `POST /v1/deliveries/redeliver`. */
export const redeliveryRequestSchema = Type.Object(
  {
    filter: Type.Object(
      {
        webhook_id: optional(typeIdSchema('whk', 'Only of this webhook.')),
        event_id: optional(typeIdSchema('evt', 'Only of this event.')),
        task_id: optional(identifierSchema, 'Only of events of this task.'),
        status: optional(oneOf(REDELIVERED_STATUSES, 'Default: `failed`. `pending`: deliveries that are due later.')),
        type: optional(
          Type.String({ pattern: TYPE_LIST.pattern, description: 'An event type, or several separated by commas.' }),
        ),
        types: optional(
          Type.String({ pattern: TYPE_LIST.pattern, description: 'Another name of `type`: give one of them.' }),
        ),
        error_class: optional(oneOf(ERROR_CLASSES, 'Only deliveries whose newest attempt has this error class.')),
        after: optional(
          timeInputSchema,
          'ISO 8601; only deliveries whose `created_at` is this time or later (inclusive).',
        ),
        before: optional(
          timeInputSchema,
          'ISO 8601; only deliveries whose `created_at` is before this time (exclusive).',
        ),
      },
      CLOSED,
    ),
    dry_run: optionalOrNull(Type.Boolean(), 'Only counts. Default: false.'),
  },
  CLOSED,
)
