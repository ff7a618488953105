import { renderEvent, tenantFilter, type EventFilter, type TenantFilter } from '@ariftly/events'

/** The filter of a stream, always of one tenant. */
export interface StreamFilter extends TenantFilter {
  /** The whole event object as data, instead of the payload. */
  readonly envelope: boolean
}

/** Makes a stream's filter. */
export function streamFilter(tenant: string, filter: EventFilter, envelope: boolean): StreamFilter {
  return { ...tenantFilter(tenant, filter), envelope }
}

/** The `data:` line of a frame. */
export function dataFor(
  filter: StreamFilter,
  event: Parameters<typeof renderEvent>[0] & { readonly data: Buffer },
): Buffer {
  return filter.envelope ? renderEvent(event) : event.data
}
