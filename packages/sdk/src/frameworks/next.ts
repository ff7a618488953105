import { receiveRequest, type HandleDelivery, type ReceiverOptions } from './receive.ts'

export type { HandleDelivery, ReceiverOptions } from './receive.ts'

/**
 * A route handler for Next (app router), in `app/ariftly-webhook/route.ts`: `export const POST = webhookRoute({ secrets }, handle)`. It fits
 * every framework whose handlers take a Request and answer with a Response. Answers 204 when `handle` is done, 401 to what is not signed by us.
 */
export function webhookRoute(
  options: ReceiverOptions,
  handle: HandleDelivery,
): (request: Request) => Promise<Response> {
  return async (request) => await receiveRequest(request, options, handle)
}
