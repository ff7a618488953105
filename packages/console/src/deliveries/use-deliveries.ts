import type { FindDeliveriesQuery, ListedDelivery, Page } from '@ariftly/sdk'
import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { useRef } from 'react'
import { useKey } from '../session/session.ts'
import { firstPage } from '../ui/first-page.ts'

/** While a delivery is pending the list is asked again, after 2 s and then ever more rarely. */
const POLL_MS = { first: 2_000, max: 15_000, growth: 1.5 } as const

/** A page of deliveries with their attempts, asked again while one of them is pending and the tab is in view. */
export function useDeliveries(query: FindDeliveriesQuery, { enabled = true }: { readonly enabled?: boolean } = {}) {
  const { client, who } = useKey()
  const waitMs = useRef<number>(POLL_MS.first)
  return useQuery({
    queryKey: ['deliveries', who.tenant, query],
    queryFn: async ({ signal }) =>
      await firstPage(client.deliveries.list({ ...query, include: ['attempts'] }, { signal })),
    placeholderData: keepPreviousData,
    enabled,
    refetchInterval: ({ state }) => {
      if (!hasPending(state.data)) {
        waitMs.current = POLL_MS.first
        return false
      }
      waitMs.current = Math.min(POLL_MS.max, waitMs.current * POLL_MS.growth)
      return waitMs.current
    },
  })
}

function hasPending(page: Page<ListedDelivery> | undefined): boolean {
  return page?.data.some(({ status }) => status === 'pending') ?? false
}
