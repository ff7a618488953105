import type { ListedDelivery, QueriedEvent } from '@ariftly/sdk'
import { Link } from '@tanstack/react-router'
import { DeliveryRow } from '../deliveries/delivery-row.tsx'
import { EventDeliveries } from '../deliveries/event-deliveries.tsx'
import { Table, type Column } from '../ui/table.tsx'
import { durationText, Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import type { TaskEvent } from './task-event.ts'

/** The same as the timeline, in words and numbers. */
export function TaskTable({ events }: { readonly events: readonly TaskEvent[] }) {
  return <Table label="Events of the task" columns={COLUMNS} items={events} keyOf={({ event }) => event.id} isStacked />
}

const COLUMNS: readonly Column<TaskEvent>[] = [
  { title: 'In the log', cell: ({ event: { log } }) => <Time at={log?.appended_at} /> },
  {
    title: 'Type',
    cell: ({ event: { id, type } }) => (
      <Link to="/events/$id" params={{ id }}>
        {visibleText(type)}
      </Link>
    ),
  },
  { title: 'Projected after', cell: ({ event }) => projectedText(event) },
  { title: 'Created (sender)', cell: ({ event: { created_at } }) => <Time at={created_at} /> },
  { title: 'Deliveries', cell: (one) => <Deliveries one={one} /> },
]

function projectedText({ log }: QueriedEvent): string {
  if (log?.projected_at == null) return '–'
  return durationText(Date.parse(log.projected_at) - Date.parse(log.appended_at))
}

function Deliveries({ one: { event, listed, others } }: { readonly one: TaskEvent }) {
  if (event.deliveries === undefined) return <span className="muted">–</span>
  if (listed.length + others.length === 0) return <span className="muted">none</span>
  return (
    <>
      {listed.map((delivery: ListedDelivery) => (
        <DeliveryRow key={delivery.id} delivery={delivery} label={delivery.webhook_id} />
      ))}
      {others.length > 0 && <EventDeliveries deliveries={others} />}
      {event.deliveries_truncated === true && <p className="muted small">There are more than these 100.</p>}
    </>
  )
}
