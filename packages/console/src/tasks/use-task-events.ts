import type { QueriedEvent, StreamState } from '@ariftly/sdk'
import { useInfiniteQuery } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useKey } from '../session/session.ts'
import { firstPage } from '../ui/first-page.ts'

const LIMIT = 100
/** What a stream says is asked for after so long: it is projected by then, mostly. */
const PROJECTED_MS = 300

/** The events of a task, oldest first, 100 a page. A stream tells of new ones, and the last page is asked for again. */
export function useTaskEvents(id: string) {
  const { client, who } = useKey()
  const [stream, setStream] = useState<StreamState>({ type: 'connecting' })
  const pages = useInfiniteQuery({
    queryKey: ['task', who.tenant, id],
    initialPageParam: undefined as string | undefined,
    queryFn: async ({ pageParam, signal }) =>
      await firstPage(
        client.events.list(
          {
            task_id: id,
            order: 'asc',
            limit: LIMIT,
            include: ['log'],
            ...(pageParam === undefined ? {} : { cursor: pageParam }),
          },
          { signal },
        ),
      ),
    getNextPageParam: ({ next_cursor, has_more }) => (has_more ? (next_cursor ?? undefined) : undefined),
  })
  const refetch = useRef(pages.refetch)
  useEffect(() => {
    refetch.current = pages.refetch
  })
  useEffect(() => {
    const events = client.events.stream({ task_id: id, onState: setStream })
    let timer: ReturnType<typeof setTimeout> | undefined
    const read = async () => {
      for await (const item of events) {
        if (item.type === 'stream.reset') continue
        timer ??= setTimeout(() => {
          timer = undefined
          void refetch.current()
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
  const events: readonly QueriedEvent[] = pages.data?.pages.flatMap((page) => page.data) ?? []
  return { pages, events, stream }
}
