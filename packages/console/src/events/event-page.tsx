import { useQuery } from '@tanstack/react-query'
import { getRouteApi, Link } from '@tanstack/react-router'
import type { QueriedEvent } from '@ariftly/sdk'
import { EventDeliveries } from '../deliveries/event-deliveries.tsx'
import { usePendingPoll } from '../deliveries/use-pending-poll.ts'
import { mayUse } from '../session/scopes.ts'
import { useKey } from '../session/session.ts'
import { CopyAs, CopyText } from '../ui/copy-as.tsx'
import { Fact } from '../ui/fact.tsx'
import { Fault } from '../ui/fault.tsx'
import { JsonTree } from '../ui/json-tree.tsx'
import { Loading, Missing, Page } from '../ui/page.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { durationText, Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { readRawEvent } from './raw-event.ts'

const route = getRouteApi('/events/$id')

/** One event: its way through the log, its deliveries, and its bytes as they were posted. */
export function EventPage() {
  const { id } = route.useParams()
  const key = useKey()
  const pollMs = usePendingPoll()
  const include = mayUse(key.who, 'webhooks') ? (['log', 'deliveries'] as const) : (['log'] as const)
  const event = useQuery({
    queryKey: ['event', id, include],
    queryFn: async ({ signal }) => await key.client.events.get(id, { include: [...include] }, { signal }),
    refetchInterval: ({ state }) => pollMs(state.data?.deliveries ?? [], state.dataUpdateCount),
  })
  const raw = useQuery({
    queryKey: ['raw-event', id],
    queryFn: async ({ signal }) => await readRawEvent(key, id, signal),
    enabled: event.isSuccess,
    staleTime: Infinity,
  })
  const forms = requestForms({
    path: `/v1/events/${encodeURIComponent(id)}`,
    query: { include },
    command: 'events get',
    method: 'events.get',
    args: [id],
  })
  return (
    <Page title={<span className="mono">{visibleText(id)}</span>} name={id} actions={<CopyAs forms={forms} />}>
      {event.error !== null && <Fault error={event.error} retry={() => void event.refetch()} />}
      {event.isPending && <Loading what="the event" />}
      {event.data !== undefined && <Facts event={event.data} />}
      {!mayUse(key.who, 'webhooks') && <Missing scope="webhooks" what="deliveries are not shown." />}
      {event.data?.deliveries !== undefined && <Deliveries event={event.data} />}
      {raw.error !== null && <Fault error={raw.error} retry={() => void raw.refetch()} />}
      {raw.data !== undefined && (
        <section className="card">
          <header className="card-head">
            <h2>As posted</h2>
            <CopyText text={raw.data.text} label="Copy JSON" />
          </header>
          <JsonTree value={raw.data.value} />
        </section>
      )}
    </Page>
  )
}

function Facts({ event }: { readonly event: QueriedEvent }) {
  const { log } = event
  const projectedMs = log?.projected_at == null ? undefined : Date.parse(log.projected_at) - Date.parse(log.appended_at)
  return (
    <dl className="facts card">
      <Fact name="Type">{visibleText(event.type)}</Fact>
      <Fact name="Task">
        {event.task_id === null ? (
          '–'
        ) : (
          <Link to="/tasks/$id" params={{ id: event.task_id }}>
            {visibleText(event.task_id)}
          </Link>
        )}
      </Fact>
      <Fact name="Session">
        {event.session_id === null ? (
          '–'
        ) : (
          <Link to="/events" search={{ session_id: event.session_id }}>
            {visibleText(event.session_id)}
          </Link>
        )}
      </Fact>
      <Fact name="Agent">{visibleText(event.agent ?? '–')}</Fact>
      <Fact name="Created (the sender's clock)">
        <Time at={event.created_at} whole />
      </Fact>
      {log !== undefined && (
        <>
          <Fact name="In the log">
            <Time at={log.appended_at} whole />
          </Fact>
          <Fact name="Projected">
            <Time at={log.projected_at} />
            {projectedMs !== undefined && ` (${durationText(projectedMs)} later)`}
          </Fact>
          {log.partition !== undefined && <Fact name="Partition, offset">{`${log.partition}, ${log.offset}`}</Fact>}
        </>
      )}
    </dl>
  )
}

function Deliveries({ event }: { readonly event: QueriedEvent }) {
  const { deliveries = [], deliveries_truncated } = event
  return (
    <section className="card">
      <h2>Deliveries</h2>
      {deliveries.length === 0 && <p className="muted">No webhook wanted this event.</p>}
      <EventDeliveries deliveries={deliveries} />
      {deliveries_truncated === true && <p className="muted">There are more than these 100.</p>}
    </section>
  )
}
