import { getRouteApi, Link } from '@tanstack/react-router'
import { useDeliveries } from '../deliveries/use-deliveries.ts'
import { mayUse } from '../session/scopes.ts'
import { useKey } from '../session/session.ts'
import { StreamStatus } from '../live/stream-status.tsx'
import { CopyAs } from '../ui/copy-as.tsx'
import { Fault } from '../ui/fault.tsx'
import { Empty, Loading, Missing, Page } from '../ui/page.tsx'
import { Pager } from '../ui/pager.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { visibleText } from '../ui/visible-text.ts'
import { deliveryTimesOf, taskEventsOf } from './task-event.ts'
import { Timeline } from './timeline.tsx'
import { taskQueryOf, useTaskEvents } from './use-task-events.ts'
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
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { who } = useKey()
  const maySeeDeliveries = mayUse(who, 'webhooks')
  const { page, isNewest, stream } = useTaskEvents(id, search)
  const events = page.data?.data ?? []
  const times = deliveryTimesOf(events, isNewest)
  const deliveries = useDeliveries(
    { task_id: id, limit: DELIVERIES_MAX, ...times },
    { enabled: maySeeDeliveries && times.after !== undefined },
  )
  const taskEvents = taskEventsOf(events, deliveries.data?.data ?? [])
  return (
    <Page
      title={
        <>
          Task <span className="mono">{visibleText(id)}</span>
        </>
      }
      name={id}
      actions={<Actions id={id} />}
    >
      <StreamStatus stream={stream} />
      {page.error !== null && <Fault error={page.error} retry={() => void page.refetch()} />}
      {deliveries.error !== null && <Fault error={deliveries.error} retry={() => void deliveries.refetch()} />}
      {!maySeeDeliveries && <Missing scope="webhooks" what="deliveries and attempts are not shown." />}
      {page.isPending && <Loading what="the events of the task" />}
      {page.isSuccess && events.length === 0 && (
        <Empty title="This task has no event.">
          <p>Its events appear here a moment after they were posted.</p>
        </Empty>
      )}
      {events.length > 0 && (
        <>
          <Timeline events={taskEvents} />
          <TaskTable events={taskEvents} />
        </>
      )}
      <Pager
        cursor={search.cursor}
        next={page.data?.next_cursor}
        isOldestFirst={search.order === undefined}
        onGo={(cursor) => void navigate({ search: { ...search, cursor } })}
      />
    </Page>
  )
}

function Actions({ id }: { readonly id: string }) {
  const search = route.useSearch()
  const { who } = useKey()
  const query = taskQueryOf(id, search, mayUse(who, 'webhooks'))
  const forms = requestForms({
    path: '/v1/events',
    query,
    command: 'timeline',
    commandArgs: [id],
    method: 'events.list',
  })
  const isNewestFirst = search.order === 'desc'
  return (
    <>
      <Link to="/tasks/$id" params={{ id }} search={isNewestFirst ? {} : { order: 'desc' }} className="button">
        {isNewestFirst ? 'Oldest first' : 'Newest first'}
      </Link>
      <Link to="/live" search={{ task_id: id }} className="button">
        Watch live
      </Link>
      <CopyAs forms={forms} />
    </>
  )
}
