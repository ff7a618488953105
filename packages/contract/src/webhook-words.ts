import { EVENT_TYPES } from '@ariftly/events'
import type { WebhookFilter } from '@ariftly/webhook-filter'
import { Type } from '@sinclair/typebox'
import { checkedBy } from './checks.ts'
import { WEBHOOK_LIMITS } from './limits.ts'
import { oneOf, oneOfMore } from './primitives.ts'

/** `*`, groups and types that a webhook may ask for. */
const EVENT_SELECTORS: readonly string[] = [
  '*',
  ...new Set(EVENT_TYPES.map((type) => `${type.slice(0, type.indexOf('.'))}.*`)),
  ...EVENT_TYPES,
]

/** Whether the events of one task are delivered one after another. */
export const ORDERINGS = ['none', 'task'] as const

/** Statuses of deliveries that a replay may be bound to. */
export const REPLAYED_STATUSES = ['delivered', 'failed', 'cancelled'] as const
/** Statuses of deliveries that can be sent again or, while they are pending, now. */
export const REDELIVERED_STATUSES = ['pending', ...REPLAYED_STATUSES] as const

const EVENTS = {
  minItems: 1,
  maxItems: WEBHOOK_LIMITS.eventsMax,
  uniqueItems: true,
  description: 'Exact types, groups (`task.*`) or `*`.',
} as const

/** `events` of a webhook, in a request. */
export const webhookEventsSchema = Type.Array(oneOf(EVENT_SELECTORS), EVENTS)

/** `events` of a webhook, in an answer. */
export const readWebhookEventsSchema = Type.Array(oneOfMore(EVENT_SELECTORS), EVENTS)

/** A payload filter. What it may hold beyond its shape is in docs/webhooks.md. */
export const webhookFilterSchema = checkedBy(
  'filter',
  Type.Unsafe<WebhookFilter>({
    type: 'object',
    minProperties: 1,
    additionalProperties: true,
    description:
      'What an event must hold, besides its type: keys are `type`, `agent`, `task_id`, `session_id`, a path `data.a.b`, `$and` or `$or`; operators are `$eq`, `$in`, `$gt`, `$gte`, `$lt`, `$lte`, `$exists` and `$not`. At most 4 KiB, 20 operators and 5 levels.',
  }),
)
