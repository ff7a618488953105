import { receiveRequest, type HandleDelivery, type ReceiverOptions } from './receive.ts'

export type { HandleDelivery, ReceiverOptions } from './receive.ts'

/**
 * A route handler for Next (app router), in `app/ariftly-webhook/route.ts`: `export const POST = webhookRoute({ secrets }, handle)`.
 * It fits every framework whose handlers take a Request and return a Response. Answers 204 when `handle` is done, 401 to
 * requests that we did not sign.
 */
export function webhookRoute(
  options: ReceiverOptions,
  handle: HandleDelivery,
): (request: Request) => Promise<Response> {
  return async (request) => await receiveRequest(request, options, handle)
}
