import { identifierSchema, oneOf, typeIdSchema } from '@ariftly/contract'
import { DELIVERY_STATUSES, ERROR_CLASSES } from '../../json-schemas/event-delivery-schema.ts'
import { answer, BODY_PROBLEMS, LOCATION, NOT_FOUND } from '../answers.ts'
import type { Operations, QueryParameter } from '../operation.ts'
import { instant, PAGE, typesFilter } from '../parameters.ts'
import { listOf } from '../schema-ref.ts'

const DELIVERIES = {
  status: 200,
  description: 'A page.',
  content: [{ type: 'application/json', schema: listOf('Delivery') }],
} as const

const STATUS: QueryParameter = {
  name: 'status',
  description: 'Only deliveries that stand so.',
  schema: oneOf(DELIVERY_STATUSES),
}

/** Routes of deliveries. */
export const deliveryOperations: Operations<'listDeliveries' | 'findDeliveries' | 'getDelivery' | 'redeliver'> = {
  listDeliveries: {
    tag: 'Deliveries',
    description: 'Newest event first.',
    query: [
      STATUS,
      typesFilter('type', 'Only events of these types, separated by commas.'),
      instant('after', 'Only events appended after this time (exclusive).'),
      instant('before', 'Only events appended before this time (exclusive).'),
      ...PAGE,
    ],
    answers: [DELIVERIES],
    problems: [{ status: 400, codes: ['invalid_parameter', 'invalid_cursor'] }, NOT_FOUND],
  },
  findDeliveries: {
    tag: 'Deliveries',
    description:
      'Newest first. At least one of `webhook_id`, `event_id`, `task_id`, `status=failed` and `after` is needed. A page may be short, or empty, while `has_more` is true: a filter that few deliveries fit reads far.',
    query: [
      { name: 'webhook_id', description: 'Only of this webhook.', schema: typeIdSchema('whk', 'TypeID of a webhook.') },
      { name: 'event_id', description: 'Only of this event.', schema: typeIdSchema('evt', 'TypeID of an event.') },
      { name: 'task_id', description: 'Only of events of this task.', schema: identifierSchema },
      { ...STATUS, example: 'failed' },
      typesFilter('type', 'Only events of these types, separated by commas.'),
      {
        name: 'error_class',
        description: 'Only those whose newest attempt failed so.',
        schema: oneOf(ERROR_CLASSES),
      },
      instant('after', 'Only deliveries created at this time or later.'),
      instant('before', 'Only deliveries created before this time.'),
      ...PAGE,
    ],
    answers: [DELIVERIES],
    problems: [{ status: 400, codes: ['invalid_parameter', 'invalid_cursor', 'filter_too_wide'] }],
  },
  getDelivery: {
    tag: 'Deliveries',
    description: 'With its newest 100 attempts, oldest first.',
    answers: [answer(200, 'The delivery.', 'DeliveryWithAttempts')],
    problems: [NOT_FOUND],
  },
  redeliver: {
    tag: 'Deliveries',
    description:
      'Sets a finished delivery back to `pending` with fresh attempts. While its webhook is disabled it waits.',
    answers: [{ ...answer(202, 'The delivery.', 'Delivery'), headers: [LOCATION] }],
    problems: [...BODY_PROBLEMS, NOT_FOUND, { status: 409, codes: ['delivery_pending', 'webhook_deleted'] }],
  },
}
