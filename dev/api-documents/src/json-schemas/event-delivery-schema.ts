import { ERROR_CLASSES } from '@ariftly/egress'
import { Type, type TSchema } from '@sinclair/typebox'
import { nullable, oneOf, oneOfMore, timeSchema, typeIdSchema } from '@ariftly/contract'

/** The states of a delivery. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'cancelled'] as const

/** A delivery as its event shows it. */
export const eventDeliverySchema: TSchema = Type.Object({
  id: typeIdSchema('dlv', 'TypeID of the delivery.'),
  webhook_id: typeIdSchema('whk', 'Whose delivery it is.'),
  status: oneOf(DELIVERY_STATUSES),
  attempt_count: Type.Integer({ minimum: 0 }),
  last_attempt_at: nullable(timeSchema),
  last_response_status: nullable(Type.Integer({ minimum: 100, maximum: 599 })),
  last_error_class: nullable(oneOfMore(ERROR_CLASSES)),
  next_attempt_at: nullable(timeSchema),
})
