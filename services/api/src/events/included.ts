import type { TenantTurns } from '@ariftly/fairness'
import { forbidden } from '@ariftly/auth'
import { renderEvent } from '@ariftly/events'
import { hasScope, listParam, type Caller } from '@ariftly/http'
import type { Pool } from '@ariftly/store'
import { listDeliveriesOfEvents } from '../deliveries/list-deliveries-of-events.ts'
import { type DeliveryRow } from '@ariftly/store/deliveries'
import type { LoggedEvent } from '@ariftly/store/events'
import { refuseLongPage } from '../refuse-long-page.ts'
import { timeOf } from '../time-of.ts'

/** Values of `include`. */
const INCLUDED = ['log', 'deliveries'] as const
type Included = (typeof INCLUDED)[number]

/** Most deliveries of one event with `include=deliveries`. */
const DELIVERIES_MAX = 100
/** Events whose deliveries are read by one statement. */
const EVENTS_AT_ONCE = 10

/** The parameter `include`. */
export const includeParam = listParam({
  is: (text): text is Included => (INCLUDED as readonly string[]).includes(text),
  shape: 'log, deliveries or both, separated by a comma',
})

/** The members that are added to an event. */
export interface Include {
  readonly log: boolean
  /** `partition` and `offset` reveal the volume of the whole platform. */
  readonly place: boolean
  readonly deliveries: boolean
}

/**
 * What a caller asks to have included; undefined for nothing.
 * @throws Problem 403 for deliveries without the scope `webhooks`; 400 for a page of more than 100 events with deliveries.
 */
export function includeOf(
  caller: Caller,
  query: { readonly include: readonly Included[] | undefined; readonly limit?: number },
): Include | undefined {
  const { include, limit = 1 } = query
  if (include === undefined) return undefined
  const deliveries = include.includes('deliveries')
  if (deliveries && !hasScope(caller, 'webhooks')) throw forbidden('webhooks')
  if (deliveries) refuseLongPage(limit, 'deliveries')
  return { log: include.includes('log'), place: caller.scopes.includes('platform'), deliveries }
}

/**
 * Renders events of a tenant with their included members; `data` keeps its bytes. Deliveries are read and rendered for ten
 * events at a time, at most 1,010 deliveries, when it is the tenant's turn, so that other tenants' requests are answered in
 * between. `pool` has `LIST_SETTINGS`.
 */
export async function renderIncluded(
  pool: Pool,
  o: {
    readonly tenant: string
    readonly events: readonly LoggedEvent[]
    readonly include: Include
    readonly turns: Pick<TenantTurns, 'run'>
  },
): Promise<readonly Buffer[]> {
  const { tenant, events, include, turns } = o
  if (!include.deliveries) return events.map((event) => renderWith(event, include, undefined))
  const rendered: Buffer[] = []
  for (let start = 0; start < events.length; start += EVENTS_AT_ONCE) {
    const some = events.slice(start, start + EVENTS_AT_ONCE)
    const slice = await turns.run(tenant, async () => {
      const deliveries = await listDeliveriesOfEvents(pool, { tenant, events: some, limit: DELIVERIES_MAX + 1 })
      return some.map((event) => renderWith(event, include, deliveries.get(event.id) ?? []))
    })
    rendered.push(...slice)
  }
  return rendered
}

/** An event with its included members; `data` keeps its bytes. */
export function renderWith(
  event: LoggedEvent,
  include: Include,
  deliveries: readonly DeliveryRow[] | undefined,
): Buffer {
  const members = {
    ...(include.log ? { log: renderLog(event, include.place) } : {}),
    ...(deliveries === undefined ? {} : renderDeliveries(deliveries)),
  }
  const rendered = renderEvent(event)
  // The members are added before the closing brace; there is at least one, as `include` is never empty.
  return Buffer.concat([rendered.subarray(0, -1), Buffer.from(`,${JSON.stringify(members).slice(1)}`)])
}

function renderLog(event: LoggedEvent, withPlace: boolean): object {
  return {
    appended_at: timeOf(event.appendedAtMs),
    projected_at: timeOf(event.projectedAtMs),
    ...(withPlace ? { partition: event.partition, offset: String(event.offset) } : {}),
  }
}

function renderDeliveries(deliveries: readonly DeliveryRow[]): object {
  return {
    deliveries: deliveries.slice(0, DELIVERIES_MAX).map((delivery) => ({
      id: delivery.id,
      webhook_id: delivery.webhookId,
      status: delivery.status,
      attempt_count: delivery.attemptCount,
      last_attempt_at: timeOf(delivery.lastAttemptAtMs),
      last_response_status: delivery.lastResponseStatus,
      last_error_class: delivery.lastErrorClass,
      next_attempt_at: timeOf(delivery.nextAttemptAtMs),
    })),
    ...(deliveries.length > DELIVERIES_MAX ? { deliveries_truncated: true } : {}),
  }
}
