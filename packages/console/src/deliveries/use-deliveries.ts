import type { FindDeliveriesQuery } from '@ariftly/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useKey } from '../session/session.ts'
import { firstPage } from '../ui/first-page.ts'
import { usePendingPoll } from './use-pending-poll.ts'

/** A page of deliveries with their attempts, asked again while one of them is pending and the tab is in view. */
export function useDeliveries(query: FindDeliveriesQuery, { enabled = true }: { readonly enabled?: boolean } = {}) {
  const { client } = useKey()
  const pollMs = usePendingPoll()
  return useQuery({
    queryKey: ['deliveries', query],
    queryFn: async ({ signal }) =>
      await firstPage(client.deliveries.list({ ...query, include: ['attempts'] }, { signal })),
    placeholderData: keepPreviousData,
    enabled,
    refetchInterval: ({ state }) => pollMs(state.data?.data ?? [], state.dataUpdateCount),
  })
}
