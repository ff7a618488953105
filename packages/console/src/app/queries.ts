import { QueryClient } from '@tanstack/react-query'

/**
 * The cache of answers. The SDK retries, so nothing is retried here. What is on the page stays while it is asked again, also when that
 * fails.
 */
export function createConsoleQueries(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: { retry: false, staleTime: 2_000, refetchOnWindowFocus: false, networkMode: 'always' },
      mutations: { retry: false, networkMode: 'always' },
    },
  })
}
