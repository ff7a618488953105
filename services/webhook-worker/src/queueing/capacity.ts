import { typeIdToUuid } from '@ariftly/events'
import { plainArray } from '@ariftly/store'
import { TRANSITIONS } from '@ariftly/store/deliveries'

/** The queue that an endpoint's jobs go through. */
export type DeliveryPriority = 'healthy' | 'unhealthy'

/**
 * How long a delivery may be queued, or an attempt under way, before it is taken back in any case. Dead workers and a Redis that lost
 * its jobs are noticed sooner.
 */
export const LEASE_MS = 600_000

/** How many deliveries of a locked endpoint may be queued. */
export interface EndpointCapacity {
  readonly webhookId: string
  readonly tenant: string
  /** Queued deliveries, attempts under way included, that it may have, over all workers. */
  readonly inFlightMax: number
  /** Deliveries that may be queued now. */
  readonly newMax: number
  /** Queue its oldest pending delivery, whether due or not, as a probe. */
  readonly probe: boolean
  /** Whether its jobs go through the queue of unhealthy endpoints. */
  readonly unhealthy: boolean
  /** Deliveries that its tenant may have queued now in that queue, over all its endpoints. */
  readonly tenantShare: number
}

/** Limits that hold for all endpoints of a statement. */
export interface QueueLimits {
  /** Queued deliveries, attempts under way included, that a tenant may have, over all its endpoints. */
  readonly tenantInFlightMax: number
  readonly leaseMs: number
  /** UUID of the worker that adds the jobs: if it dies, they are pending again with its attempts. */
  readonly workerId?: string
}

/*
 * The limits of a statement that queues deliveries. All are decided here, of what is in flight when the statement runs; `planCapacity` (in the
 * worker) says for each endpoint what they are.
 *
 * - endpoint: `in_flight_max` less what it has in flight, and `new_max` (its tokens, or one probe).
 * - tenant: $8 less what it has in flight in both queues (`tenant_rank`).
 * - queue: `tenant_share`, what the workers' free slots leave to the tenant (`share_rank`).
 */

/** The values of $1 to $10 for {@link endpointCtes} and {@link QUEUED}. */
export function capacityValues(endpoints: readonly EndpointCapacity[], o: QueueLimits): unknown[] {
  return [
    plainArray(endpoints.map(({ webhookId }) => typeIdToUuid('whk', webhookId))),
    endpoints.map(({ tenant }) => tenant),
    plainArray(endpoints.map(({ inFlightMax }) => inFlightMax)),
    plainArray(endpoints.map(({ newMax }) => newMax)),
    plainArray(endpoints.map(({ probe }) => probe)),
    plainArray(endpoints.map(({ unhealthy }) => unhealthy)),
    plainArray(endpoints.map(({ tenantShare }) => tenantShare)),
    o.tenantInFlightMax,
    o.leaseMs,
    o.workerId ?? null,
  ]
}

/**
 * SQL: `endpoint`, in the order in which they were given (`place`), and what is in flight, `busy` of an endpoint and `tenant_busy`. `more` are an
 * array and its column next to those of {@link capacityValues}, each after a comma.
 */
export function endpointCtes({ array, column } = { array: '', column: '' }): string {
  return `endpoint AS (
  SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[], $5::bool[], $6::bool[], $7::int[]${array})
    WITH ORDINALITY AS e (webhook_id, tenant_id, in_flight_max, new_max, probe, unhealthy, tenant_share${column}, place)),
busy AS (
  SELECT tenant_id, webhook_id, count(*)::int AS n
    FROM deliveries
   WHERE state = 'queued' AND tenant_id = ANY ($2::text[])
   GROUP BY tenant_id, webhook_id),
tenant_busy AS (SELECT tenant_id, sum(n)::int AS n FROM busy GROUP BY tenant_id)`
}

/** SQL: whether a row of `picked` is within the limits of its tenant. */
export const WITHIN_TENANT = 'tenant_rank <= $8 AND share_rank <= tenant_share'

/** SQL: queues the deliveries of `taken`. The ids are an array, a planner hint: the rows are then found by id and not by a join. */
export const QUEUED = `queued AS (
  UPDATE deliveries d
     SET ${TRANSITIONS.queue.set}, worker_id = $10::uuid,
         probe = webhook_id IN (SELECT webhook_id FROM endpoint WHERE probe)
   WHERE id = ANY (ARRAY(SELECT id FROM taken)) AND ${TRANSITIONS.queue.guard}
  RETURNING id, webhook_id, attempt)`
