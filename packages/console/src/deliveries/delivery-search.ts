import { entryOf } from '../events/event-filter.ts'

/** What a delivery can be. */
export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'cancelled'] as const

/** The list of deliveries in the form of the address. */
export interface DeliverySearch {
  readonly webhook_id?: string | undefined
  readonly event_id?: string | undefined
  readonly task_id?: string | undefined
  readonly status?: string | undefined
  readonly type?: string | undefined
  readonly error_class?: string | undefined
  /** ISO 8601, by `created_at`; inclusive. */
  readonly after?: string | undefined
  /** Exclusive. */
  readonly before?: string | undefined
  readonly cursor?: string | undefined
  /** One delivery instead of a list. */
  readonly delivery?: string | undefined
  /** The redelivery whose progress is shown. */
  readonly redelivery?: string | undefined
}

const NAMES = [
  'webhook_id',
  'event_id',
  'task_id',
  'status',
  'type',
  'error_class',
  'after',
  'before',
  'cursor',
  'delivery',
  'redelivery',
] as const satisfies readonly (keyof DeliverySearch)[]

/** Reads the list of an address. */
export function readDeliverySearch(search: Readonly<Record<string, unknown>>): DeliverySearch {
  return Object.fromEntries(NAMES.flatMap((name) => entryOf(name, search[name])))
}
