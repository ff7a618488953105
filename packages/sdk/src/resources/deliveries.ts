import type {
  Delivery,
  DeliveryWithAttempts,
  FindDeliveriesQuery,
  ListedDelivery,
  ListRedeliveriesQuery,
  Redelivery,
  RedeliveryRequest,
} from '../api-types.ts'
import type { CallOptions } from '../http/transport.ts'
import type { List } from '../lists.ts'
import { path, Resource, type CreateOptions } from './resource.ts'

/** What was delivered, or was not, over all webhooks (scope `webhooks`). */
export class Deliveries extends Resource {
  /** Newest first; `include: ['attempts']` shows the newest attempts of each. Needs a `webhook_id`, `event_id`, `task_id`, `status: 'failed'` or `after`. */
  list(query: FindDeliveriesQuery, options?: CallOptions): List<ListedDelivery> {
    return this.pages('/v1/deliveries', query, options)
  }

  /** With its attempts. */
  async get(id: string, options?: CallOptions): Promise<DeliveryWithAttempts> {
    return await this.read(path`/v1/deliveries/${id}`, {}, options)
  }

  /** Sends it again, or now if it is pending. A ConflictError when its webhook is deleted. */
  async redeliver(id: string, options?: CreateOptions): Promise<Delivery> {
    return await this.make(path`/v1/deliveries/${id}/redeliver`, undefined, options)
  }
}

/** Many deliveries made again by a filter (scope `webhooks`). */
export class Redeliveries extends Resource {
  /** The filter needs a `webhook_id`, or an `after` at most 35 days ago; its `status` is `failed` by default. */
  async create(request: RedeliveryRequest, options?: CreateOptions): Promise<Redelivery> {
    return await this.make('/v1/deliveries/redeliver', request, options)
  }

  /** Newest first, dry runs too. */
  list(query?: ListRedeliveriesQuery, options?: CallOptions): List<Redelivery> {
    return this.pages('/v1/redeliveries', query, options)
  }

  async get(id: string, options?: CallOptions): Promise<Redelivery> {
    return await this.read(path`/v1/redeliveries/${id}`, {}, options)
  }

  /** Deliveries that were made pending already are still sent. */
  async cancel(id: string, options?: CallOptions): Promise<Redelivery> {
    return await this.write('DELETE', path`/v1/redeliveries/${id}`, undefined, options)
  }
}
