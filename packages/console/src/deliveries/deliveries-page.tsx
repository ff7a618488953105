import { useQuery } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { useKey } from '../session/session.ts'
import { CopyAs } from '../ui/copy-as.tsx'
import { Fault } from '../ui/fault.tsx'
import { Empty, Loading, Page } from '../ui/page.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { DeliveryFilter } from './delivery-filter.tsx'
import { DeliveryList, deliveryQueryOf, isFindable } from './delivery-list.tsx'
import { DeliveryRow } from './delivery-row.tsx'
import { RedeliverDialog } from './redeliver-dialog.tsx'
import { Progress } from './redelivery-progress.tsx'

const route = getRouteApi('/deliveries')

/** Deliveries of all webhooks: one, or what a filter finds. */
export function DeliveriesPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [isSending, setSending] = useState(false)
  const forms = requestForms({
    path: '/v1/deliveries',
    query: { ...deliveryQueryOf(search), include: 'attempts' },
    command: 'deliveries list',
    method: 'deliveries.list',
  })
  const { delivery, redelivery } = search
  return (
    <Page
      title="Deliveries"
      name="Deliveries"
      actions={
        <>
          <button type="button" onClick={() => setSending(true)} disabled={!isFindable(search)}>
            Send again by filter …
          </button>
          <CopyAs forms={forms} />
        </>
      }
    >
      {redelivery !== undefined && <Progress id={redelivery} />}
      {delivery !== undefined && <OneDelivery id={delivery} />}
      <DeliveryFilter search={search} onChange={(next) => void navigate({ search: next })} />
      {isFindable(search) && (
        <DeliveryList search={search} onCursor={(cursor) => void navigate({ search: { ...search, cursor } })} />
      )}
      {!isFindable(search) && delivery === undefined && redelivery === undefined && (
        <Empty title="Which deliveries?">
          <p>Enter a webhook, a task, an event or a time, or list all failed ones.</p>
          <button type="button" className="primary" onClick={() => void navigate({ search: { status: 'failed' } })}>
            All that have failed
          </button>
        </Empty>
      )}
      {isSending && <RedeliverDialog search={search} onClose={() => setSending(false)} />}
    </Page>
  )
}

function OneDelivery({ id }: { readonly id: string }) {
  const { client } = useKey()
  const delivery = useQuery({
    queryKey: ['deliveries', id],
    queryFn: async ({ signal }) => await client.deliveries.get(id, { signal }),
    refetchInterval: ({ state }) => (state.data?.status === 'pending' ? 2_000 : false),
  })
  if (delivery.error !== null) return <Fault error={delivery.error} retry={() => void delivery.refetch()} />
  if (delivery.data === undefined) return <Loading what="the delivery" />
  return <DeliveryRow key={id} delivery={delivery.data} open />
}
