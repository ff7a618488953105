import type { Webhook } from '@ariftly/sdk'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useKey } from '../session/session.ts'
import { CopyAs } from '../ui/copy-as.tsx'
import { Fault } from '../ui/fault.tsx'
import { firstPage } from '../ui/first-page.ts'
import { Empty, Loading, Page } from '../ui/page.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { TableBox } from '../ui/table-box.tsx'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { WebhookBadge } from './webhook-badge.tsx'

const LIMIT = 100

/** All webhooks, with their state and what waits for them. */
export function WebhooksPage() {
  const { client, who } = useKey()
  const list = useInfiniteQuery({
    queryKey: ['webhooks', who.tenant],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) =>
      await firstPage(
        client.webhooks.list({ limit: LIMIT, ...(pageParam === undefined ? {} : { cursor: pageParam }) }, { signal }),
      ),
    getNextPageParam: ({ next_cursor }) => next_cursor ?? undefined,
  })
  const forms = requestForms({ path: '/v1/webhooks', query: {}, command: 'webhooks list', method: 'webhooks.list' })
  const webhooks = list.data?.pages.flatMap((page) => page.data) ?? []
  return (
    <Page
      title="Webhooks"
      name="Webhooks"
      actions={
        <>
          <Link to="/webhooks/new" className="button primary">
            New webhook
          </Link>
          <CopyAs forms={forms} />
        </>
      }
    >
      {list.error !== null && <Fault error={list.error} retry={() => void list.refetch()} />}
      {list.isPending && <Loading what="webhooks" />}
      {list.isSuccess && webhooks.length === 0 && (
        <Empty title="There is no webhook yet.">
          <p>A webhook sends events to an address of yours, signed, until they were taken.</p>
          <Link to="/webhooks/new" className="button primary">
            New webhook
          </Link>
        </Empty>
      )}
      {webhooks.length > 0 && <WebhookTable webhooks={webhooks} />}
      {list.hasNextPage && (
        <button type="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          More
        </button>
      )}
    </Page>
  )
}

function WebhookTable({ webhooks }: { readonly webhooks: readonly Webhook[] }) {
  return (
    <TableBox label="Webhooks">
      <table>
        <thead>
          <tr>
            <th scope="col">Address</th>
            <th scope="col">State</th>
            <th scope="col">Events</th>
            <th scope="col">Pending</th>
            <th scope="col">Last success</th>
          </tr>
        </thead>
        <tbody>
          {webhooks.map((webhook) => (
            <tr key={webhook.id}>
              <td>
                <Link to="/webhooks/$id" params={{ id: webhook.id }}>
                  {visibleText(webhook.description ?? webhook.url)}
                </Link>
                <div className="small muted mono">{webhook.id}</div>
              </td>
              <td>
                <WebhookBadge webhook={webhook} />
              </td>
              <td>{webhook.events.join(', ')}</td>
              <td>{pendingText(webhook)}</td>
              <td>
                <Time at={webhook.last_success_at} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableBox>
  )
}

/** The API counts up to 10,000. */
export function pendingText({ pending_count }: Pick<Webhook, 'pending_count'>): string {
  return pending_count >= 10_000 ? '10,000 or more' : String(pending_count)
}
