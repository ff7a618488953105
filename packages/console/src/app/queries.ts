import { QueryClient } from '@tanstack/react-query'

/**
 * The cache of answers to one key; it is emptied when that has ended. The SDK retries, so nothing is retried here. What is on the page stays while
 * it is asked again, also when that fails.
 */
export function createConsoleQueries(ended: AbortSignal): QueryClient {
  const queries = new QueryClient({
    defaultOptions: {
      queries: { retry: false, staleTime: 2_000, refetchOnWindowFocus: false, networkMode: 'always' },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
  ended.addEventListener('abort', () => queries.clear())
  return queries
}
