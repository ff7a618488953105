import type { ReceivedHeaders, UnwrapOptions } from '../webhooks/received.ts'
import { unwrap, WebhookVerificationError, type Delivered } from '../webhooks/unwrap.ts'

/** Handles one delivery. An error is answered with 500, and the delivery is retried. */
export type HandleDelivery = (delivered: Delivered) => unknown

/** Options of a receiver. */
export interface ReceiverOptions extends Pick<UnwrapOptions, 'toleranceS' | 'allowUntimed'> {
  /** The secret, or all that are valid while one is rotated. */
  readonly secrets: string | readonly string[]
}

/** What to answer. */
export interface ReceiverAnswer {
  readonly status: 204 | 401
  readonly body: string
}

/** Verifies a delivery and has it handled. Throws what `handle` throws, and a TypeError for a body that was parsed already. */
export async function receive(
  rawBody: string | Uint8Array,
  headers: ReceivedHeaders,
  { secrets, ...options }: ReceiverOptions,
  handle: HandleDelivery,
): Promise<ReceiverAnswer> {
  let delivered: Delivered
  try {
    delivered = await unwrap(rawBody, headers, secrets, options)
  } catch (error) {
    if (error instanceof WebhookVerificationError) return { status: 401, body: error.message }
    throw error
  }
  await handle(delivered)
  return { status: 204, body: '' }
}

/** The same for frameworks that speak fetch: takes a Request, answers with a Response. */
export async function receiveRequest(
  request: Request,
  options: ReceiverOptions,
  handle: HandleDelivery,
): Promise<Response> {
  const { status, body } = await receive(new Uint8Array(await request.arrayBuffer()), request.headers, options, handle)
  return new Response(status === 204 ? null : body, { status })
}
