import type { ReceivedHeaders } from '../webhooks/received.ts'
import { receive, type HandleDelivery, type ReceiverOptions } from './receive.ts'

export type { HandleDelivery, ReceiverOptions } from './receive.ts'

/** The part of a request of express that is used. */
export interface ExpressRequest extends AsyncIterable<unknown> {
  readonly headers: ReceivedHeaders
  readonly body?: unknown
}

/** The part of a response of express that is used. */
export interface ExpressResponse {
  status(code: number): { send(body: string): unknown }
}

const BODY_BYTES_MAX = 1024 * 1024

/**
 * A handler for express: `app.post('/ariftly-webhook', webhookHandler({ secrets }, handle))`. It reads the raw body itself, or
 * uses that of `express.raw()`; after `express.json()` it calls `next` with an error that says so. Answers 204 when `handle` is
 * done, 401 to requests that we did not sign.
 */
export function webhookHandler(
  options: ReceiverOptions,
  handle: HandleDelivery,
): (request: ExpressRequest, response: ExpressResponse, next: (error: unknown) => void) => void {
  return (request, response, next) => {
    void answer(request, response, next)
  }

  async function answer(
    request: ExpressRequest,
    response: ExpressResponse,
    next: (error: unknown) => void,
  ): Promise<void> {
    try {
      const raw = (request.body as Uint8Array | undefined) ?? (await readBody(request))
      const { status, body } = await receive(raw, request.headers, options, handle)
      response.status(status).send(body)
    } catch (error) {
      next(error)
    }
  }
}

async function readBody(request: AsyncIterable<unknown>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Uint8Array>) {
    length += chunk.length
    if (length > BODY_BYTES_MAX) throw new RangeError('The body of a delivery has at most 1 MiB.')
    chunks.push(chunk)
  }
  const body = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    body.set(chunk, at)
    at += chunk.length
  }
  return body
}
