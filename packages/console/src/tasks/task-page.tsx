import { getRouteApi, Link } from '@tanstack/react-router'
import { useDeliveries } from '../deliveries/use-deliveries.ts'
import { mayUse } from '../session/scopes.ts'
import { useKey } from '../session/session.ts'
import { StreamStatus } from '../live/stream-status.tsx'
import { CopyAs } from '../ui/copy-as.tsx'
import { Fault } from '../ui/fault.tsx'
import { Empty, Loading, Missing, Page } from '../ui/page.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { visibleText } from '../ui/visible-text.ts'
import { Timeline } from './timeline.tsx'
import { useTaskEvents } from './use-task-events.ts'
import { TaskTable } from './task-table.tsx'

const route = getRouteApi('/tasks/$id')
/** Deliveries that the API gives with attempts on one page. */
const DELIVERIES_MAX = 100

/** The way of one task's events: from the sender to the log, to Postgres, and to each attempt of each webhook. */
export function TaskPage() {
  const { id } = route.useParams()
  return <Task key={id} id={id} />
}

function Task({ id }: { readonly id: string }) {
  const { who } = useKey()
  const maySeeDeliveries = mayUse(who, 'webhooks')
  const { pages, events, stream } = useTaskEvents(id)
  const deliveries = useDeliveries({ task_id: id, limit: DELIVERIES_MAX }, { enabled: maySeeDeliveries })
  const query = { task_id: id, order: 'asc', include: 'log,deliveries', limit: 100 }
  const forms = requestForms({ path: '/v1/events', query, command: 'events list', method: 'events.list' })
  const found = deliveries.data?.data ?? []
  return (
    <Page
      title={
        <>
          Task <span className="mono">{visibleText(id)}</span>
        </>
      }
      name={id}
      actions={
        <>
          <Link to="/live" search={{ task_id: id }} className="button">
            Watch live
          </Link>
          <CopyAs forms={{ ...forms, cli: `ariftly timeline ${id}` }} />
        </>
      }
    >
      <StreamStatus stream={stream} />
      {pages.error !== null && <Fault error={pages.error} retry={() => void pages.refetch()} />}
      {deliveries.error !== null && <Fault error={deliveries.error} retry={() => void deliveries.refetch()} />}
      {!maySeeDeliveries && <Missing scope="webhooks" what="deliveries and attempts are not shown." />}
      {pages.isPending && <Loading what="the events of the task" />}
      {pages.isSuccess && events.length === 0 && (
        <Empty title="This task has no event.">
          <p>Its events are found here a moment after they were posted.</p>
        </Empty>
      )}
      {events.length > 0 && (
        <>
          <Timeline events={events} deliveries={found} />
          <TaskTable events={events} deliveries={found} />
        </>
      )}
      {pages.hasNextPage && (
        <button type="button" disabled={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          {pages.isFetchingNextPage ? 'Loading …' : 'Next 100 events'}
        </button>
      )}
      {deliveries.data?.has_more === true && (
        <p className="muted">
          The newest {DELIVERIES_MAX} deliveries are shown.{' '}
          <Link to="/deliveries" search={{ task_id: id }}>
            All of them
          </Link>
        </p>
      )}
    </Page>
  )
}
