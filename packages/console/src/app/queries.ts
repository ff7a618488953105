import { AuthenticationError } from '@ariftly/sdk'
import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import type { Session } from '../session/session.ts'

/**
 * The cache of answers. The SDK retries by itself, so nothing is retried here. What is on the page stays while it is asked again, also when that
 * fails. A key that is refused anywhere ends the session; the place is kept.
 */
export function createConsoleQueries(session: Session): QueryClient {
  const onError = (error: unknown): void => {
    if (error instanceof AuthenticationError) session.refuse()
  }
  const queries = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: { retry: false, staleTime: 2_000, refetchOnWindowFocus: false, networkMode: 'always' },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
  let tenant: string | undefined
  session.subscribe(() => {
    const { type, key } = session.current
    if (type !== 'signed_in') return
    // What another tenant's key has read is not shown to this one.
    if (tenant !== undefined && tenant !== key.who.tenant) queries.clear()
    else void queries.invalidateQueries()
    tenant = key.who.tenant
  })
  return queries
}
