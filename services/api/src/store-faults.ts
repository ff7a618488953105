import type { ApiHandler } from '@ariftly/http'
import { Fault } from '@ariftly/runtime'
import { isStoreUnavailable } from '@ariftly/store'

/** Handlers by route name whose failed queries are answered 503 when Postgres cannot answer just now. */
export function withStoreFaults<N extends string>(
  handlers: Readonly<Record<N, ApiHandler>>,
): Readonly<Record<N, ApiHandler>> {
  const guarded = Object.entries<ApiHandler>(handlers).map(([name, handler]) => [name, guard(handler)])
  return Object.fromEntries(guarded) as Record<N, ApiHandler>
}

function guard(handler: ApiHandler): ApiHandler {
  return async function answerOrFault(call, req, res) {
    try {
      await handler(call, req, res)
    } catch (error) {
      if (!isStoreUnavailable(error)) throw error
      throw new Fault({
        code: 'store_unavailable',
        message: 'Postgres could not answer',
        publicMessage: 'The store cannot answer just now. Try again.',
        retryable: true,
        cause: error,
      })
    }
  }
}
