import type { Webhook, WebhookChanges } from '@ariftly/sdk'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { getRouteApi } from '@tanstack/react-router'
import { useState } from 'react'
import { DeliveryFilter } from '../deliveries/delivery-filter.tsx'
import { DeliveryList } from '../deliveries/delivery-list.tsx'
import { RedeliverDialog } from '../deliveries/redeliver-dialog.tsx'
import { useKey } from '../session/session.ts'
import { Fact } from '../ui/fact.tsx'
import { Fault } from '../ui/fault.tsx'
import { Loading, Page } from '../ui/page.tsx'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { pendingText } from './pending-text.ts'
import { SendPending } from './send-pending.tsx'
import { WebhookActions } from './webhook-actions.tsx'
import { WebhookBadge } from './webhook-badge.tsx'
import { WebhookForm, type WebhookMembers } from './webhook-form.tsx'
import { WebhookStatistics } from './webhook-stats.tsx'

const route = getRouteApi('/webhooks/$id')
const EVERY_MS = 5_000

/** One webhook: its state, statistics, deliveries and settings. */
export function WebhookPage() {
  const { id } = route.useParams()
  const { client } = useKey()
  const webhook = useQuery({
    queryKey: ['webhook', id],
    queryFn: async ({ signal }) => await client.webhooks.get(id, { signal }),
    refetchInterval: EVERY_MS,
  })
  const { data, error } = webhook
  return (
    <Page
      title={
        data === undefined ? <span className="mono">{visibleText(id)}</span> : visibleText(data.description ?? data.url)
      }
      name={data?.description ?? id}
      actions={data === undefined ? undefined : <WebhookActions webhook={data} />}
    >
      {error !== null && <Fault error={error} retry={() => void webhook.refetch()} />}
      {webhook.isPending && <Loading what="the webhook" />}
      {data !== undefined && (
        <>
          <SendPending webhook={data} />
          <State webhook={data} />
          <WebhookStatistics id={id} />
          <Settings webhook={data} />
          <Deliveries id={id} />
        </>
      )}
    </Page>
  )
}

function State({ webhook }: { readonly webhook: Webhook }) {
  return (
    <dl className="facts card">
      <Fact name="State">
        <WebhookBadge webhook={webhook} />
      </Fact>
      <Fact name="Address">
        <span className="mono">{visibleText(webhook.url)}</span>
      </Fact>
      <Fact name="Pending">
        {pendingText(webhook)}
        {webhook.oldest_pending_at !== null && (
          <>
            , the oldest since <Time at={webhook.oldest_pending_at} />
          </>
        )}
      </Fact>
      <Fact name="Last success">
        <Time at={webhook.last_success_at} />
      </Fact>
      <Fact name="Id">
        <span className="mono">{webhook.id}</span>
      </Fact>
    </dl>
  )
}

function Deliveries({ id }: { readonly id: string }) {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const [isSending, setSending] = useState(false)
  const ofWebhook = { ...search, webhook_id: id }
  return (
    <section className="deliveries">
      <header className="card-head">
        <h2>Deliveries</h2>
        <button type="button" onClick={() => setSending(true)}>
          Send again by filter …
        </button>
      </header>
      <DeliveryFilter search={search} webhookId={id} onChange={(next) => void navigate({ search: next })} />
      <DeliveryList search={ofWebhook} onCursor={(cursor) => void navigate({ search: { ...search, cursor } })} />
      {isSending && <RedeliverDialog search={ofWebhook} onClose={() => setSending(false)} />}
    </section>
  )
}

function Settings({ webhook }: { readonly webhook: Webhook }) {
  const { client } = useKey()
  const queries = useQueryClient()
  const update = useMutation({
    // The server checks the members.
    mutationFn: async (members: WebhookMembers) => await client.webhooks.update(webhook.id, members as WebhookChanges),
    onSuccess: (changed) => queries.setQueryData(['webhook', webhook.id], changed),
  })
  return (
    <details className="settings">
      <summary>
        <h2>Settings</h2>
      </summary>
      {update.isSuccess && (
        <p className="note" role="status">
          Saved.
        </p>
      )}
      <WebhookForm
        key={webhook.updated_at}
        webhook={webhook}
        action="Save"
        isBusy={update.isPending}
        error={update.error}
        onSubmit={(members) => update.mutate(members)}
      />
    </details>
  )
}
