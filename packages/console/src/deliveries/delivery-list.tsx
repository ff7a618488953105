import type { FindDeliveriesQuery } from '@ariftly/sdk'
import { Fault } from '../ui/fault.tsx'
import { Empty, Loading } from '../ui/page.tsx'
import { Pager } from '../ui/pager.tsx'
import { DeliveryRow } from './delivery-row.tsx'
import type { DeliverySearch } from './delivery-search.ts'
import { useDeliveries } from './use-deliveries.ts'

const LIMIT = 50

/** The query of the API for a list in the address. */
export function deliveryQueryOf(search: DeliverySearch): FindDeliveriesQuery {
  const { delivery: _one, redelivery: _progress, type, ...rest } = search
  // The API checks the values: what it does not know is a 400 that names the parameter.
  return { ...rest, ...(type === undefined ? {} : { type: [type] }), limit: LIMIT } as FindDeliveriesQuery
}

/** Whether the API takes the list: it needs one of these to find an index. */
export function isFindable({ webhook_id, event_id, task_id, status, after }: DeliverySearch): boolean {
  return [webhook_id, event_id, task_id, after].some((value) => value !== undefined) || status === 'failed'
}

/** Deliveries, newest first, with their attempts. */
export function DeliveryList(props: {
  readonly search: DeliverySearch
  readonly onCursor: (cursor: string | undefined) => void
}) {
  const { search, onCursor } = props
  const list = useDeliveries(deliveryQueryOf(search))
  return (
    <section aria-label="Deliveries">
      {list.error !== null && <Fault error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Loading what="deliveries" />}
      {list.data?.data.length === 0 && (
        <Empty title="No delivery fits.">
          {list.data.has_more ? <p>The search stopped at its limit: continue with “Older”.</p> : null}
        </Empty>
      )}
      {list.data?.data.map((delivery) => (
        <DeliveryRow key={delivery.id} delivery={delivery} />
      ))}
      <button type="button" disabled={list.isFetching} onClick={() => void list.refetch()}>
        Load again
      </button>
      <Pager cursor={search.cursor} next={list.data?.next_cursor} onGo={onCursor} />
    </section>
  )
}
