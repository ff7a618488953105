import type { Webhook } from '@ariftly/sdk'
import { useInfiniteQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useKey } from '../session/session.ts'
import { CopyAs } from '../ui/copy-as.tsx'
import { Fault } from '../ui/fault.tsx'
import { firstPage } from '../ui/first-page.ts'
import { Empty, Loading, Page } from '../ui/page.tsx'
import { requestForms } from '../ui/request-forms.ts'
import { Table, type Column } from '../ui/table.tsx'
import { Time } from '../ui/time.tsx'
import { visibleText } from '../ui/visible-text.ts'
import { pendingText } from './pending-text.ts'
import { WebhookBadge } from './webhook-badge.tsx'

const LIMIT = 100

/** All webhooks, with their state and what waits for them. */
export function WebhooksPage() {
  const { client } = useKey()
  const list = useInfiniteQuery({
    queryKey: ['webhooks'],
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
          <p>A webhook sends signed events to a URL of yours, and retries until it answers 2xx.</p>
          <Link to="/webhooks/new" className="button primary">
            New webhook
          </Link>
        </Empty>
      )}
      {webhooks.length > 0 && (
        <Table label="Webhooks" columns={COLUMNS} items={webhooks} keyOf={({ id }) => id} isStacked />
      )}
      {list.hasNextPage && (
        <button type="button" disabled={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
          More
        </button>
      )}
    </Page>
  )
}

const COLUMNS: readonly Column<Webhook>[] = [
  {
    title: 'Address',
    cell: ({ id, description, url }) => (
      <>
        <Link to="/webhooks/$id" params={{ id }}>
          {visibleText(description ?? url)}
        </Link>
        <div className="small muted mono">{id}</div>
      </>
    ),
  },
  { title: 'State', cell: (webhook) => <WebhookBadge webhook={webhook} /> },
  { title: 'Events', cell: ({ events }) => events.join(', ') },
  { title: 'Pending', cell: pendingText },
  { title: 'Last success', cell: ({ last_success_at }) => <Time at={last_success_at} /> },
]
