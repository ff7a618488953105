import type { ListedDelivery, QueriedEvent } from '@ariftly/sdk'
import { Link } from '@tanstack/react-router'
import { DeliveryRow } from '../deliveries/delivery-row.tsx'
import { Table, type Column } from '../ui/table.tsx'
import { durationText, Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'

/** The same as the timeline, in words and numbers. */
export function TaskTable(props: {
  readonly events: readonly QueriedEvent[]
  readonly deliveries: readonly ListedDelivery[]
}) {
  const { events, deliveries } = props
  const columns: readonly Column<QueriedEvent>[] = [
    ...COLUMNS,
    {
      title: 'Deliveries',
      cell: ({ id }) => <Deliveries deliveries={deliveries.filter(({ event_id }) => event_id === id)} />,
    },
  ]
  return <Table label="Events of the task" columns={columns} items={events} keyOf={({ id }) => id} isStacked />
}

const COLUMNS: readonly Column<QueriedEvent>[] = [
  { title: 'In the log', cell: ({ log }) => <Time at={log?.appended_at} /> },
  {
    title: 'Type',
    cell: ({ id, type }) => (
      <Link to="/events/$id" params={{ id }}>
        {visibleText(type)}
      </Link>
    ),
  },
  {
    title: 'Projected after',
    cell: ({ log }) =>
      log?.projected_at == null ? '–' : durationText(Date.parse(log.projected_at) - Date.parse(log.appended_at)),
  },
  { title: 'Created (sender)', cell: ({ created_at }) => <Time at={created_at} /> },
]

function Deliveries({ deliveries }: { readonly deliveries: readonly ListedDelivery[] }) {
  if (deliveries.length === 0) return <span className="muted">none</span>
  return deliveries.map((delivery) => <DeliveryRow key={delivery.id} delivery={delivery} label={delivery.webhook_id} />)
}
