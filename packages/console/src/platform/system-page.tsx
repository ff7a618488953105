import type { System } from '@ariftly/sdk'
import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useKey } from '../session/session.ts'
import { CopyAs, CopyText } from '../ui/copy-as.tsx'
import { Fact } from '../ui/fact.tsx'
import { Fault } from '../ui/fault.tsx'
import { Loading, Page } from '../ui/page.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { Table, type Column } from '../ui/table.tsx'
import { durationText, Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { WebhookBadge } from '../webhooks/webhook-badge.tsx'
import { pendingText } from '../webhooks/pending-text.ts'

const EVERY_MS = 10_000
const FORMS = requestForms({ path: '/v1/system', query: {}, command: 'system', method: 'system.get' })

/** The whole installation, as far as Postgres knows it: the log, processes, and what waits. */
export function SystemPage() {
  const { client } = useKey()
  const system = useQuery({
    queryKey: ['system'],
    queryFn: async ({ signal }) => await client.system.get({ signal }),
    refetchInterval: EVERY_MS,
  })
  return (
    <Page
      title="System"
      name="System"
      actions={
        <>
          <button type="button" onClick={() => void system.refetch()} disabled={system.isFetching}>
            Load again
          </button>
          <CopyAs forms={FORMS} />
        </>
      }
    >
      {system.error !== null && <Fault error={system.error} retry={() => void system.refetch()} />}
      {system.isPending && <Loading what="the system" />}
      {system.data !== undefined && (
        <>
          <Summary system={system.data} />
          <Backlogs system={system.data} />
          <Partitions system={system.data} />
          <Processes system={system.data} />
          <Unknown />
        </>
      )}
    </Page>
  )
}

function Summary({ system: { as_of, log, deliveries } }: { readonly system: System }) {
  const atLeast = deliveries.complete ? '' : 'at least '
  return (
    <dl className="facts card">
      <Fact name="Deliveries that wait">{`${atLeast}${deliveries.pending_count}`}</Fact>
      <Fact name="Of them due now">{`${atLeast}${deliveries.due_count}`}</Fact>
      <Fact name="Log">{log === null ? 'none yet' : `epoch ${log.epoch} of ${log.topic}`}</Fact>
      {log !== null && (
        <Fact name="Epoch since">
          <Time at={log.opened_at} />
        </Fact>
      )}
      <Fact name="As of">
        <Time at={as_of} />
      </Fact>
    </dl>
  )
}

function Backlogs({ system: { backlogs, deliveries } }: { readonly system: System }) {
  const { who } = useKey()
  const columns: readonly Column<System['backlogs'][number]>[] = [
    {
      title: 'Webhook',
      // A page shows webhooks of the key's own tenant alone.
      cell: ({ webhook_id: id, tenant }) =>
        tenant === who.tenant ? (
          <Link to="/webhooks/$id" params={{ id }} className="mono">
            {id}
          </Link>
        ) : (
          <span className="mono">{id}</span>
        ),
    },
    { title: 'Tenant', cell: ({ tenant }) => visibleText(tenant) },
    { title: 'State', cell: (backlog) => <WebhookBadge webhook={backlog} /> },
    { title: 'Pending', cell: pendingText },
    { title: 'Due', cell: ({ due_count }) => pendingText({ pending_count: due_count }) },
    { title: 'Oldest', cell: ({ oldest_pending_at }) => <Time at={oldest_pending_at} /> },
  ]
  return (
    <section className="part">
      <h2>Largest backlogs</h2>
      {backlogs.length === 0 ? (
        <p className="muted">No delivery waits.</p>
      ) : (
        <Table label="Backlogs" columns={columns} items={backlogs} keyOf={({ webhook_id }) => webhook_id} isStacked />
      )}
      {!deliveries.complete && (
        <p className="muted small">The count ended at its limit: there may be more, and other webhooks too.</p>
      )}
    </section>
  )
}

function Partitions({ system: { as_of, log } }: { readonly system: System }) {
  const columns: readonly Column<NonNullable<System['log']>['partitions'][number]>[] = [
    { title: 'Partition', cell: ({ partition }) => partition },
    { title: 'Projected up to', cell: ({ projected_offset }) => projected_offset },
    { title: 'Newest event at', cell: ({ appended_at }) => <Time at={appended_at} /> },
    { title: 'Projected last', cell: ({ projected_at }) => <Ago asOf={as_of} at={projected_at} /> },
    { title: 'Matched up to', cell: ({ matched_offset }) => matched_offset ?? '–' },
    { title: 'Matched last', cell: ({ matched_at }) => <Ago asOf={as_of} at={matched_at} /> },
  ]
  return (
    <section className="part">
      <h2>Log</h2>
      {log === null || log.partitions.length === 0 ? (
        <p className="muted">No projector has begun.</p>
      ) : (
        <Table
          label="Partitions of the log"
          columns={columns}
          items={log.partitions}
          keyOf={({ partition }) => String(partition)}
        />
      )}
    </section>
  )
}

function Processes({ system: { as_of, processes } }: { readonly system: System }) {
  const columns: readonly Column<System['processes'][number]>[] = [
    { title: 'Service', cell: ({ service }) => visibleText(service) },
    { title: 'Seen', cell: ({ seen_at }) => <Ago asOf={as_of} at={seen_at} /> },
    { title: 'Id', cell: ({ id }) => <span className="mono">{id}</span> },
  ]
  return (
    <section className="part">
      <h2>Processes</h2>
      {processes.length === 0 ? (
        <p className="muted">No process has registered.</p>
      ) : (
        <Table label="Processes" columns={columns} items={processes} keyOf={({ id }) => id} isStacked />
      )}
      <p className="muted small">
        Projectors and the api do not register, and stream gateways only while a tenant has a limit of streams.
      </p>
    </section>
  )
}

const PROJECTION_STATUS = 'npm run projection -- status'

/** What Postgres does not know, and which command does. */
function Unknown() {
  return (
    <section className="card">
      <h2>What this page does not know</h2>
      <p>
        Where the log ends, and how far streams lag, is not in Postgres. On the server a command shows how far the
        projection is behind the end of the log; the metrics at <code>/metrics</code> of each process show the rest.
        More is in <code>docs/operations/run.md</code> and under <a href="/docs#tag/system">System</a> in the API
        reference.
      </p>
      <p>
        <code>{PROJECTION_STATUS}</code> <CopyText text={PROJECTION_STATUS} />
      </p>
    </section>
  )
}

/** `2.4 s ago`, by the server's clock. */
function Ago({ asOf, at }: { readonly asOf: string; readonly at: string | null }) {
  if (at === null) return '–'
  return <span className="time">{`${durationText(Math.max(0, Date.parse(asOf) - Date.parse(at)))} ago`}</span>
}
