import type { ListedDelivery, QueriedEvent } from '@ariftly/sdk'
import { Link } from '@tanstack/react-router'
import { DeliveryRow } from '../deliveries/delivery-row.tsx'
import { TableBox } from '../ui/table-box.tsx'
import { durationText, Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'

/** The same as the timeline, in words and numbers. */
export function TaskTable(props: {
  readonly events: readonly QueriedEvent[]
  readonly deliveries: readonly ListedDelivery[]
}) {
  return (
    <TableBox label="Events of the task">
      <table className="stacked">
        <thead>
          <tr>
            <th scope="col">In the log</th>
            <th scope="col">Type</th>
            <th scope="col">Projected after</th>
            <th scope="col">Created (sender)</th>
            <th scope="col">Deliveries</th>
          </tr>
        </thead>
        <tbody>
          {props.events.map((event) => (
            <Row
              key={event.id}
              event={event}
              deliveries={props.deliveries.filter(({ event_id }) => event_id === event.id)}
            />
          ))}
        </tbody>
      </table>
    </TableBox>
  )
}

function Row({ event, deliveries }: { readonly event: QueriedEvent; readonly deliveries: readonly ListedDelivery[] }) {
  const { log } = event
  return (
    <tr>
      <td data-label="In the log">
        <Time at={log?.appended_at} />
      </td>
      <td data-label="Type">
        <Link to="/events/$id" params={{ id: event.id }}>
          {visibleText(event.type)}
        </Link>
      </td>
      <td data-label="Projected after">
        {log?.projected_at == null ? '–' : durationText(Date.parse(log.projected_at) - Date.parse(log.appended_at))}
      </td>
      <td data-label="Created">
        <Time at={event.created_at} />
      </td>
      <td data-label="Deliveries">
        {deliveries.length === 0 ? (
          <span className="muted">none</span>
        ) : (
          deliveries.map((delivery) => (
            <DeliveryRow key={delivery.id} delivery={delivery} label={delivery.webhook_id} />
          ))
        )}
      </td>
    </tr>
  )
}
