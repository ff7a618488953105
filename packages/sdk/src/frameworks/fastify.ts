import type { ReceivedHeaders } from '../webhooks/received.ts'
import { receive, type HandleDelivery, type ReceiverOptions } from './receive.ts'

export type { HandleDelivery, ReceiverOptions } from './receive.ts'

/** The part of a reply of fastify that is used. */
export interface FastifyReply {
  code(status: number): { send(body: string): unknown }
}

/** The part of an instance of fastify that is used. */
export interface FastifyInstance {
  addContentTypeParser(
    type: string,
    options: { readonly parseAs: 'buffer' },
    parse: (request: unknown, body: Uint8Array, done: (error: null, body: Uint8Array) => void) => void,
  ): unknown
  post(
    path: string,
    handle: (request: { readonly body: unknown; readonly headers: ReceivedHeaders }, reply: FastifyReply) => unknown,
  ): unknown
}

/**
 * A plugin for fastify: `app.register(webhookPlugin('/ariftly-webhook', { secrets }, handle))`. Only inside it JSON bodies are
 * not parsed. Answers 204 when `handle` is done, 401 to requests that we did not sign.
 */
export function webhookPlugin(
  path: string,
  options: ReceiverOptions,
  handle: HandleDelivery,
): (app: FastifyInstance) => Promise<void> {
  return async (app) => {
    app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => done(null, body))
    app.post(path, async (request, reply) => {
      const { status, body } = await receive(request.body as Uint8Array, request.headers, options, handle)
      return reply.code(status).send(body)
    })
  }
}
