import type { ListEventsQuery, QueriedEvent } from '@ariftly/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import { useKey } from '../session/session.ts'
import { CopyAs } from '../ui/copy-as.tsx'
import { Fault } from '../ui/fault.tsx'
import { firstPage } from '../ui/first-page.ts'
import { Empty, Loading, Page } from '../ui/page.tsx'
import { Table, type Column } from '../ui/table.tsx'
import { Pager } from '../ui/pager.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { typesOf } from './event-filter.ts'
import { FilterForm, TimeFields } from './filter-form.tsx'
import { IdBox } from './id-box.tsx'

const LIMIT = 50
const route = getRouteApi('/events')

/** Events that were projected, newest first. */
export function EventsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { client } = useKey()
  const { types, ...rest } = search
  const query = { ...rest, ...(types === undefined ? {} : { type: typesOf(types) }), limit: LIMIT } as ListEventsQuery
  const list = useQuery({
    queryKey: ['events', query],
    queryFn: async ({ signal }) => await firstPage(client.events.list(query, { signal })),
    placeholderData: keepPreviousData,
  })
  const forms = requestForms({ path: '/v1/events', query: { ...query }, command: 'events list', method: 'events.list' })
  return (
    <Page
      title="Events"
      name="Events"
      actions={
        <>
          <button type="button" onClick={() => void list.refetch()} disabled={list.isFetching}>
            Load again
          </button>
          <CopyAs forms={forms} />
        </>
      }
    >
      <IdBox />
      <FilterForm search={search} onChange={(next) => void navigate({ search: next })}>
        <TimeFields from="after" after={search.after} before={search.before} />
      </FilterForm>
      {list.error !== null && <Fault error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Loading what="events" />}
      {list.data !== undefined && <EventTable events={list.data.data} />}
      <Pager
        cursor={search.cursor}
        next={list.data?.next_cursor}
        onGo={(cursor) => void navigate({ search: { ...search, cursor } })}
      />
    </Page>
  )
}

const COLUMNS: readonly Column<QueriedEvent>[] = [
  { title: 'Created', cell: ({ created_at }) => <Time at={created_at} /> },
  { title: 'Type', cell: ({ type }) => visibleText(type) },
  {
    title: 'Task or session',
    cell: ({ task_id, session_id }) =>
      task_id === null ? (
        visibleText(session_id ?? '–')
      ) : (
        <Link to="/tasks/$id" params={{ id: task_id }}>
          {visibleText(task_id)}
        </Link>
      ),
  },
  { title: 'Agent', cell: ({ agent }) => visibleText(agent ?? '–') },
  {
    title: 'Id',
    cell: ({ id }) => (
      <Link to="/events/$id" params={{ id }} className="mono">
        {id}
      </Link>
    ),
  },
]

function EventTable({ events }: { readonly events: readonly QueriedEvent[] }) {
  if (events.length === 0) {
    return (
      <Empty title="No event fits.">
        <p>Events appear here a moment after they were posted. The filter is in the address of this page.</p>
      </Empty>
    )
  }
  return <Table label="Events" columns={COLUMNS} items={events} keyOf={({ id }) => id} />
}
