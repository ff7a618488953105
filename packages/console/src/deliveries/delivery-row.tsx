import type { ListedDelivery } from '@ariftly/sdk'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { DeliveryBadge } from '../ui/badge.tsx'
import { countText } from '../ui/count-text.ts'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { AttemptTable } from './attempt-table.tsx'
import { NextAttempt } from './next-attempt.tsx'
import { SendDelivery } from './send-delivery.tsx'

/** A delivery with its attempts. One that is pending can be sent now, one that has ended again. */
export function DeliveryRow(props: {
  readonly delivery: ListedDelivery
  readonly open?: boolean
  /** What distinguishes it in its list; default: the event's type. */
  readonly label?: string
}) {
  const { delivery, open = false, label = delivery.event_type } = props
  const [isOpen, setOpen] = useState(open)
  const { id, status, event_id, webhook_id, attempt_count, next_attempt_at, attempts = [] } = delivery
  return (
    <div className="delivery">
      <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>
          <DeliveryBadge status={status} />
          <span className="delivery-type">{visibleText(label)}</span>
          <span className="muted">
            {countText(attempt_count, 'attempt')}
            {delivery.last_error_class === null ? '' : `, last: ${delivery.last_error_class}`}
            {delivery.last_response_status === null ? '' : ` (${delivery.last_response_status})`}
            <NextAttempt at={next_attempt_at} />
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
            <AttemptTable attempts={attempts} />
            {delivery.attempts_truncated === true && (
              <p className="muted small">There are older attempts than these 20.</p>
            )}
            {status !== 'pending' && <SendDelivery delivery={delivery} />}
          </div>
        )}
      </details>
      {status === 'pending' && <SendDelivery delivery={delivery} />}
    </div>
  )
}
