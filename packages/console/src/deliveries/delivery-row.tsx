import type { ListedDelivery } from '@ariftly/sdk'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { useKey } from '../session/session.ts'
import { newIdempotencyKey } from '../session/idempotency-key.ts'
import { DeliveryBadge } from '../ui/badge.tsx'
import { countText } from '../ui/count-text.ts'
import { Fault } from '../ui/fault.tsx'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { AttemptTable } from './attempt-table.tsx'

/** A delivery with its attempts; one that is over can be sent again. */
export function DeliveryRow(props: {
  readonly delivery: ListedDelivery
  readonly open?: boolean
  /** What distinguishes it in its list; default: the event's type. */
  readonly label?: string
}) {
  const { delivery, open = false, label = delivery.event_type } = props
  const [isOpen, setOpen] = useState(open)
  const { id, status, event_id, webhook_id, attempt_count, attempts = [] } = delivery
  return (
    <details className="delivery" open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <DeliveryBadge status={status} />
        <span className="delivery-type">{visibleText(label)}</span>
        <span className="muted">
          {countText(attempt_count, 'attempt')}
          {delivery.last_error_class === null ? '' : `, last: ${delivery.last_error_class}`}
          {delivery.last_response_status === null ? '' : ` (${delivery.last_response_status})`}
        </span>
        <Time at={delivery.created_at} />
      </summary>
      {isOpen && (
        <div className="delivery-body">
          <p className="small">
            Event{' '}
            <Link to="/events/$id" params={{ id: event_id }} className="mono">
              {event_id}
            </Link>
            , webhook{' '}
            <Link to="/webhooks/$id" params={{ id: webhook_id }} className="mono">
              {webhook_id}
            </Link>
            , delivery <span className="mono">{id}</span>
          </p>
          {delivery.next_attempt_at !== null && (
            <p>
              Next attempt at <Time at={delivery.next_attempt_at} />
            </p>
          )}
          <AttemptTable attempts={attempts} />
          {delivery.attempts_truncated === true && (
            <p className="muted small">There are older attempts than these 20.</p>
          )}
          {status !== 'pending' && <Redeliver id={id} />}
        </div>
      )}
    </details>
  )
}

function Redeliver({ id }: { readonly id: string }) {
  const { client } = useKey()
  const queries = useQueryClient()
  const [idempotencyKey] = useState(newIdempotencyKey)
  const { mutate, isPending, isSuccess, error } = useMutation({
    // A repetition after a lost answer takes effect once.
    mutationFn: async () => await client.deliveries.redeliver(id, { idempotencyKey }),
    onSuccess: async () => await queries.invalidateQueries({ queryKey: ['deliveries'] }),
  })
  return (
    <>
      <button type="button" disabled={isPending || isSuccess} onClick={() => mutate()}>
        {isSuccess ? 'Will be sent again' : 'Send again'}
      </button>
      {error !== null && <Fault error={error} />}
    </>
  )
}
