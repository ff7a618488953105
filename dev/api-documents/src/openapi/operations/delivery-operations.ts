import { identifierSchema, oneOf, typeIdSchema } from '@ariftly/contract'
import { ERROR_CLASSES } from '@ariftly/egress'
import { Type } from '@sinclair/typebox'
import { DELIVERY_STATUSES } from '../../json-schemas/event-delivery-schema.ts'
import { answer, BODY_PROBLEMS, jsonBody, LOCATION, NOT_FOUND } from '../answers.ts'
import type { Operations, QueryParameter } from '../operation.ts'
import { instant, PAGE, typesFilters } from '../parameters.ts'
import { listOf } from '../schema-ref.ts'

const DELIVERIES = {
  status: 200,
  description: 'A page.',
  content: [{ type: 'application/json', schema: listOf('ListedDelivery') }],
} as const

const STATUS: QueryParameter = {
  name: 'status',
  description: 'Only deliveries with this status.',
  schema: oneOf(DELIVERY_STATUSES),
}

const OF_WEBHOOK: readonly QueryParameter[] = [
  { name: 'event_id', description: 'Only of this event.', schema: typeIdSchema('evt', 'TypeID of an event.') },
  { name: 'task_id', description: 'Only of events of this task.', schema: identifierSchema },
  { ...STATUS, example: 'failed' },
  ...typesFilters('Only events of these types, separated by commas.'),
  {
    name: 'error_class',
    description: 'Only deliveries whose newest attempt failed with this class.',
    schema: oneOf(ERROR_CLASSES),
  },
  instant('after', 'Only deliveries whose `created_at` is this time or later (inclusive).'),
  instant('before', 'Only deliveries whose `created_at` is before this time (exclusive).'),
  {
    name: 'include',
    description:
      '`attempts`: the newest 20 attempts of each, newest first, without headers and bodies of answers; needs `limit` ≤ 100.',
    schema: Type.Array(oneOf(['attempts']), { minItems: 1, uniqueItems: true }),
    example: ['attempts'],
    commaList: true,
  },
  ...PAGE,
]

/** Routes of deliveries. */
export const deliveryOperations: Operations<
  | 'listDeliveries'
  | 'findDeliveries'
  | 'getDelivery'
  | 'redeliver'
  | 'createRedelivery'
  | 'listRedeliveries'
  | 'getRedelivery'
  | 'cancelRedelivery'
> = {
  listDeliveries: {
    tag: 'Deliveries',
    description:
      'The list of `GET /v1/deliveries` with this `webhook_id`: newest first, and a cursor of one is one of the other. A page may be short, or empty, while `has_more` is true.',
    query: OF_WEBHOOK,
    answers: [DELIVERIES],
    problems: [{ status: 400, codes: ['invalid_parameter', 'invalid_cursor'] }, NOT_FOUND],
  },
  findDeliveries: {
    tag: 'Deliveries',
    description:
      'Newest first. At least one of `webhook_id`, `event_id`, `task_id`, `status=failed` and `after` is needed. A page may be short, or empty, while `has_more` is true: a filter that few deliveries match reads many rows.',
    query: [
      { name: 'webhook_id', description: 'Only of this webhook.', schema: typeIdSchema('whk', 'TypeID of a webhook.') },
      ...OF_WEBHOOK,
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
      'Sends a delivery now: a finished one is `pending` again with fresh attempts; a pending one becomes due, and its attempts keep counting. An attempt that is under way is not doubled. While its webhook is disabled the delivery waits; a failing one is probed soon, with its oldest pending delivery.',
    answers: [{ ...answer(202, 'The delivery.', 'Delivery'), headers: [LOCATION] }],
    problems: [...BODY_PROBLEMS, NOT_FOUND, { status: 409, codes: ['webhook_deleted'] }],
  },
  createRedelivery: {
    tag: 'Deliveries',
    description:
      'Sets finished deliveries that match a filter back to `pending` with fresh attempts; with the status `pending` makes those due that wait for their next attempt. The filter has the members of the list; `status` is `failed` unless another one is given, and a `webhook_id` or an `after` of at most 35 days ago is needed. One runs at a time, and ten dry runs, which only count.',
    body: jsonBody('RedeliveryRequest', true, [
      {
        name: 'dry',
        summary: 'Only count',
        value: { filter: { webhook_id: 'whk_01m88y3fz3eeksq399rkr6wnx3', error_class: 'timeout' }, dry_run: true },
      },
      {
        name: 'failed',
        summary: 'What failed at a webhook',
        value: { filter: { webhook_id: 'whk_01m88y3fz3eeksq399rkr6wnx3', status: 'failed' } },
      },
    ]),
    answers: [
      { ...answer(202, 'The redelivery, which continues in the background.', 'Redelivery'), headers: [LOCATION] },
    ],
    problems: [...BODY_PROBLEMS, { status: 409, codes: ['redelivery_under_way'] }],
  },
  listRedeliveries: {
    tag: 'Deliveries',
    description: 'Newest first, dry runs too.',
    query: PAGE,
    answers: [
      {
        status: 200,
        description: 'A page.',
        content: [{ type: 'application/json', schema: listOf('Redelivery') }],
      },
    ],
    problems: [{ status: 400, codes: ['invalid_parameter', 'invalid_cursor'] }],
  },
  getRedelivery: {
    tag: 'Deliveries',
    description: 'Its progress.',
    answers: [answer(200, 'The redelivery.', 'Redelivery')],
    problems: [NOT_FOUND],
  },
  cancelRedelivery: {
    tag: 'Deliveries',
    description:
      'No further delivery is made due. Deliveries that are pending already are still sent; finished ones stay unchanged.',
    answers: [answer(200, 'The redelivery.', 'Redelivery')],
    problems: [NOT_FOUND],
  },
}
