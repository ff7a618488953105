import { receiveRequest, type HandleDelivery, type ReceiverOptions } from './receive.ts'

export type { HandleDelivery, ReceiverOptions } from './receive.ts'

/** The part of a context of Hono that is used. */
export interface HonoContext {
  readonly req: { readonly raw: Request }
}

/**
 * A handler for Hono: `app.post('/ariftly-webhook', webhookHandler({ secrets }, handle))`. Answers 204 when `handle` is done,
 * 401 to requests that we did not sign.
 */
export function webhookHandler(
  options: ReceiverOptions,
  handle: HandleDelivery,
): (context: HonoContext) => Promise<Response> {
  return async (context) => await receiveRequest(context.req.raw, options, handle)
}
