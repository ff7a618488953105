import { Type, type TSchema } from '@sinclair/typebox'
import { ERROR_CLASSES } from '@ariftly/egress'
import { DELIVERY_STATUSES } from './event-delivery-schema.ts'
import { eventIdSchema } from './event-schemas.ts'
import {
  described,
  ORDERINGS,
  REDELIVERED_STATUSES,
  REPLAYED_STATUSES,
  readWebhookEventsSchema,
  webhookFilterSchema,
  readEventTypeSchema,
  identifierSchema,
  nullable,
  oneOf,
  oneOfMore,
  timeSchema,
  typeIdSchema,
} from '@ariftly/contract'
import { shownFilterMembers } from './shown-filter-members.ts'

/** Why a webhook gets nothing. */
const DISABLED_REASONS = ['manual', 'gone', 'failures'] as const

/** Members of a webhook. */
export const webhookMembers = {
  object: Type.Literal('webhook'),
  id: typeIdSchema('whk', 'TypeID of the webhook.'),
  url: Type.String({ format: 'uri' }),
  events: readWebhookEventsSchema,
  ...shownFilterMembers,
  description: nullable(Type.String()),
  enabled: Type.Boolean(),
  disabled_reason: nullable(oneOfMore(DISABLED_REASONS)),
  headers: Type.Array(Type.String(), { description: 'Names only: values are kept like secrets.' }),
  rate_limit: nullable(Type.Integer({ minimum: 1, maximum: 1000 })),
  ordering: oneOf(ORDERINGS),
  filter: nullable(webhookFilterSchema),
  pending_count: Type.Integer({ minimum: 0, maximum: 10_000, description: '10,000 means 10,000 or more.' }),
  oldest_pending_at: nullable({
    ...timeSchema,
    description: 'When the pending delivery of the oldest event was created.',
  }),
  failing_since: nullable(timeSchema),
  last_success_at: nullable(timeSchema),
  created_at: timeSchema,
  updated_at: timeSchema,
} as const

/** A webhook. */
export const webhookSchema: TSchema = Type.Object(webhookMembers)

/** A webhook with its secret, which is shown at creation and rotation only. */
export const webhookWithSecretSchema: TSchema = Type.Object({
  ...webhookMembers,
  secret: Type.String({ description: 'Shown this once.' }),
})

const statsCounts = {
  delivered_count: Type.Integer({ minimum: 0 }),
  failed_count: Type.Integer({ minimum: 0 }),
  attempt_count: Type.Integer({ minimum: 0 }),
} as const

/** Statistics of a webhook. */
export const webhookStatsSchema: TSchema = Type.Object({
  object: Type.Literal('webhook_stats'),
  webhook_id: typeIdSchema('whk', 'Whose figures they are.'),
  window: oneOf(['1h', '24h', '7d']),
  from: timeSchema,
  to: timeSchema,
  ...statsCounts,
  error_classes: Type.Unsafe({
    type: 'object',
    additionalProperties: { type: 'integer', minimum: 1 },
    description: 'Failed attempts by class.',
  }),
  latency_ms: Type.Unsafe({
    type: ['object', 'null'],
    required: ['p50', 'p95', 'p99'],
    properties: { p50: { type: 'number' }, p95: { type: 'number' }, p99: { type: 'number' } },
  }),
  buckets: Type.Array(
    Type.Object({ at: timeSchema, ...statsCounts, latency_p95_ms: Type.Unsafe({ type: ['number', 'null'] }) }),
    { description: 'Oldest first; the last one is running.' },
  ),
})

const deliveryMembers = {
  object: Type.Literal('delivery'),
  id: typeIdSchema('dlv', 'TypeID of the delivery.'),
  webhook_id: typeIdSchema('whk', 'Whose delivery it is.'),
  event_id: eventIdSchema,
  event_type: readEventTypeSchema,
  task_id: nullable(identifierSchema),
  status: oneOf(DELIVERY_STATUSES),
  attempt_count: Type.Integer({ minimum: 0, description: 'Keeps counting after a redelivery.' }),
  last_attempt_at: nullable(timeSchema),
  last_response_status: nullable(Type.Integer({ minimum: 100, maximum: 599 })),
  last_error_class: nullable(oneOfMore(ERROR_CLASSES)),
  next_attempt_at: nullable(timeSchema),
  created_at: timeSchema,
  finished_at: nullable(timeSchema),
} as const

const ERROR_CLASS_TEXT =
  '`dns_error`: the host has no address that may be reached, for any reason. `blocked`: the URL itself names an address or a scheme that is not allowed, or the request could not be signed.'

const milliseconds = (): TSchema => nullable(Type.Integer({ minimum: 0 }))

const listedAttemptMembers = {
  attempt: Type.Integer({ minimum: 1 }),
  probe: Type.Boolean({ description: 'A probe of a failing endpoint; it counts towards no schedule.' }),
  started_at: timeSchema,
  dns_ms: nullable(Type.Integer({ minimum: 0, description: 'Null after a `dns_error` too.' })),
  connect_ms: milliseconds(),
  tls_ms: milliseconds(),
  first_byte_ms: milliseconds(),
  total_ms: milliseconds(),
  address: nullable(Type.String({ description: 'The address that was dialled.' })),
  status: nullable(Type.Integer({ minimum: 100, maximum: 599 })),
  error: nullable(oneOfMore(ERROR_CLASSES, ERROR_CLASS_TEXT)),
  error_detail: nullable(Type.String()),
  next_attempt_at: nullable(timeSchema),
} as const

const attemptMembers = {
  ...listedAttemptMembers,
  response_headers: Type.Unsafe({
    type: ['object', 'null'],
    additionalProperties: { type: 'string' },
    description: 'Names and values of at most 2 KiB together; a header that does not fit is left out.',
  }),
  response_body: nullable(Type.String({ description: 'At most 16 KiB.' })),
} as const

/** One attempt of a delivery. */
const attemptSchema: TSchema = Type.Object(attemptMembers)

/** The attempt of a test, which is stored nowhere. */
export const testAttemptSchema: TSchema = Type.Object({
  ...attemptMembers,
  event_id: eventIdSchema,
  event_type: readEventTypeSchema,
})

/** A delivery. */
export const deliverySchema: TSchema = Type.Object(deliveryMembers)

/** A delivery as a list shows it: with what `include` asks for. */
export const listedDeliverySchema: TSchema = Type.Object({
  ...deliveryMembers,
  attempts: Type.Optional(
    Type.Array(Type.Object(listedAttemptMembers), {
      maxItems: 20,
      description: 'With `include=attempts`: the newest 20, newest first.',
    }),
  ),
  attempts_truncated: Type.Optional(Type.Literal(true, { description: 'There are more than 20 attempts.' })),
})

/** A delivery with its newest 100 attempts, oldest first. */
export const deliveryWithAttemptsSchema: TSchema = Type.Object({
  ...deliveryMembers,
  attempts: Type.Array(attemptSchema),
})

/** What a redelivery filters by. */
const redeliveryFilterMembers = {
  webhook_id: Type.Optional(typeIdSchema('whk', 'Only of this webhook.')),
  event_id: Type.Optional(typeIdSchema('evt', 'Only of this event.')),
  task_id: Type.Optional(identifierSchema),
  type: Type.Optional(
    Type.String({ description: 'An event type, or several separated by commas; also when it was given as `types`.' }),
  ),
  error_class: Type.Optional(oneOfMore(ERROR_CLASSES)),
  after: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'Only deliveries whose `created_at` is this time or later (inclusive).',
    }),
  ),
  before: Type.Optional(
    Type.String({
      format: 'date-time',
      description: 'Only deliveries whose `created_at` is before this time (exclusive).',
    }),
  ),
} as const

/** A redelivery: what was asked for and how far it is. */
export const redeliverySchema: TSchema = Type.Object({
  object: Type.Literal('redelivery'),
  id: typeIdSchema('rdl', 'TypeID of the redelivery.'),
  status: oneOf(['running', 'completed', 'cancelled', 'failed']),
  dry_run: Type.Boolean(),
  filter: Type.Object({ ...redeliveryFilterMembers, status: oneOf(REDELIVERED_STATUSES) }),
  scanned_count: Type.Integer({ minimum: 0, description: 'Deliveries checked so far.' }),
  delivery_count: Type.Integer({
    minimum: 0,
    description: 'Deliveries made due; in a dry run: that would be made due.',
  }),
  created_at: timeSchema,
  updated_at: timeSchema,
  finished_at: nullable(timeSchema),
})

/** The state of a replay. */
const REPLAY_STATUSES = ['running', 'completed', 'cancelled'] as const

/** A replay: what was asked for and how far it is. */
export const replaySchema: TSchema = Type.Object({
  object: Type.Literal('replay'),
  id: typeIdSchema('rpl', 'TypeID of the replay.'),
  webhook_id: typeIdSchema('whk', 'Whose deliveries are made again.'),
  status: oneOf(REPLAY_STATUSES),
  dry_run: Type.Boolean(),
  after: described(
    timeSchema,
    'Only events that were appended after this time; with `from` a time before all of them.',
  ),
  from: nullable(Type.String({ description: 'The position of a stream that it was asked to begin at.' })),
  truncated: Type.Boolean({
    description: 'Whether that position was lost: it begins at the earliest event of the last 30 days.',
  }),
  before: timeSchema,
  types: nullable(Type.Array(readEventTypeSchema)),
  delivery_status: nullable(oneOf(REPLAYED_STATUSES)),
  scanned_count: Type.Integer({ minimum: 0, description: 'Events checked so far.' }),
  delivery_count: Type.Integer({
    minimum: 0,
    description: 'Deliveries made pending; in a dry run: that would be made pending.',
  }),
  created_at: timeSchema,
  updated_at: timeSchema,
  finished_at: nullable(timeSchema),
})
