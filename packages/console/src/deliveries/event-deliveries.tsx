import type { EventDelivery } from '@ariftly/sdk'
import { Link } from '@tanstack/react-router'
import { DeliveryBadge } from '../ui/badge.tsx'
import { countText } from '../ui/count-text.ts'
import { NextAttempt } from './next-attempt.tsx'
import { SendDelivery } from './send-delivery.tsx'

/** Deliveries as their event shows them, without attempts: a line each, with links to more. */
export function EventDeliveries({ deliveries }: { readonly deliveries: readonly EventDelivery[] }) {
  return (
    <ul className="lines">
      {deliveries.map((delivery) => (
        <li key={delivery.id}>
          <Line delivery={delivery} />
        </li>
      ))}
    </ul>
  )
}

function Line({ delivery }: { readonly delivery: EventDelivery }) {
  const { id, status, webhook_id, attempt_count, last_error_class, next_attempt_at } = delivery
  return (
    <>
      <DeliveryBadge status={status} />{' '}
      <Link to="/deliveries" search={{ delivery: id }} className="mono">
        {id}
      </Link>{' '}
      to{' '}
      <Link to="/webhooks/$id" params={{ id: webhook_id }} className="mono">
        {webhook_id}
      </Link>
      {`, ${countText(attempt_count, 'attempt')}`}
      {last_error_class !== null && `, last: ${last_error_class}`}
      <NextAttempt at={next_attempt_at} /> {status === 'pending' && <SendDelivery delivery={delivery} />}
    </>
  )
}
