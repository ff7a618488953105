import type { ListEventsQuery, StreamState } from '@ariftly/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { usePendingPoll } from '../deliveries/use-pending-poll.ts'
import { mayUse } from '../session/scopes.ts'
import { useKey } from '../session/session.ts'
import { firstPage } from '../ui/first-page.ts'
import type { TaskSearch } from './task-search.ts'

/** Wait between an event of the stream and the request for it: it is projected by then, mostly. */
const PROJECTED_MS = 300
/** While it is not, it is asked for again after so long, and for so long at most. */
const AWAITED = { everyMs: 1_000, forMs: 60_000 } as const

/** The query of one page of a task; with what became of the events, if the key may see it. */
export function taskQueryOf(id: string, search: TaskSearch, withDeliveries: boolean) {
  const { cursor } = search
  const order: ListEventsQuery['order'] = search.order ?? 'asc'
  const include = withDeliveries ? (['log', 'deliveries'] as const) : (['log'] as const)
  return { task_id: id, order, limit: 100, include, ...(cursor === undefined ? {} : { cursor }) } as const
}

/**
 * One page of the events of a task. A stream reports new ones: if they belong on this page, the page is fetched again, as it is while a delivery is
 * pending.
 */
export function useTaskEvents(id: string, search: TaskSearch) {
  const { client, who } = useKey()
  const [stream, setStream] = useState<StreamState>({ type: 'connecting' })
  const pollMs = usePendingPoll()
  /** The last event of the stream. */
  const awaited = useRef({ id: '', untilMs: 0 })
  const query = taskQueryOf(id, search, mayUse(who, 'webhooks'))
  const page = useQuery({
    queryKey: ['task', query],
    queryFn: async ({ signal }) =>
      await firstPage(
        client.events.list({ ...query, include: [...query.include] } satisfies ListEventsQuery, { signal }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state: { data, dataUpdateCount } }) => {
      const isLate = data !== undefined && holdsNewest(search, data) && Date.now() < awaited.current.untilMs
      if (isLate && !data.data.some((event) => event.id === awaited.current.id)) return AWAITED.everyMs
      return pollMs(data?.data.flatMap(({ deliveries = [] }) => deliveries) ?? [], dataUpdateCount)
    },
  })
  const isNewest = page.data !== undefined && holdsNewest(search, page.data)
  const refetch = useRef<() => void>(() => undefined)
  useEffect(() => {
    refetch.current = () => {
      // An empty page, or one that is still asked for, may be the newest.
      if (isNewest || page.data === undefined) void page.refetch()
    }
  })
  useEffect(() => {
    const events = client.events.stream({ task_id: id, onState: setStream })
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      for await (const item of events) {
        if (item.type === 'stream.reset') continue
        awaited.current = { id: item.id, untilMs: Date.now() + AWAITED.forMs }
        timer ??= setTimeout(() => {
          timer = undefined
          refetch.current()
        }, PROJECTED_MS)
      }
    }
    // What ends it for good is shown by the list too.
    read().catch(() => setStream({ type: 'closed' }))
    return () => {
      clearTimeout(timer)
      events.close()
    }
  }, [client, id])
  return { page, isNewest, stream }
}

/** Whether new events of the task belong on this page. */
function holdsNewest({ order, cursor }: TaskSearch, { has_more: hasMore }: { readonly has_more: boolean }): boolean {
  return order === 'desc' ? cursor === undefined : !hasMore
}
