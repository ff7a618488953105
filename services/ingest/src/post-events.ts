import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIMITS } from '@ariftly/events'
import type { Authenticator } from '@ariftly/auth'
import type { Caller, RouteHandler, WholePostHandler } from '@ariftly/http'
import type { Answer } from './answer.ts'
import { readContent } from './content.ts'
import type { MemoryBudget, MemoryLease } from './memory-budget.ts'
import type { Quotas } from './quota.ts'
import { discardRest, outOfMemory, type BodyReader } from './request-body.ts'
import type { TakeEvents } from './take-events.ts'

/** What the handlers need. */
export interface PostEventsDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly quotas: Pick<Quotas, 'admit'>
  readonly budget: MemoryBudget
  readonly bodies: BodyReader
  readonly take: TakeEvents
}

/**
 * Makes the handler of `POST /v1/events`: on bare `node:http`, as a framework would cost more than all that happens here. What is refused or cannot be
 * written is a Problem.
 */
export function createPostEvents({ authenticator, quotas, budget, bodies, take }: PostEventsDeps): RouteHandler {
  return async function postEvents(req, res, call): Promise<void> {
    try {
      const found = callerOf(req)
      // A cached key costs no turn of the event loop.
      const caller = found instanceof Promise ? await found : found
      const lease = budget.open(caller.tenant)
      try {
        await handle(req, res, call, caller, lease)
      } finally {
        lease.release()
      }
    } finally {
      discardRest(req)
    }
  }

  function callerOf(req: IncomingMessage): Caller | Promise<Caller> {
    return authenticator.authenticate(req.headers.authorization, 'events:write')
  }

  async function handle(
    req: IncomingMessage,
    res: ServerResponse,
    { context }: Parameters<RouteHandler>[2],
    caller: Caller,
    lease: MemoryLease,
  ): Promise<void> {
    const content = readContent(req.headers)
    const { headers, refusal } = quotas.admit(caller)
    for (const name in headers) res.setHeader(name, headers[name] ?? '')
    if (refusal !== undefined) throw refusal
    const askedMs = performance.now()
    const body = await bodies.read(req, content.encoding, lease)
    // A key that is revoked while its body trickles in writes nothing any more.
    if (performance.now() - askedMs > CALLER_KNOWN_MS) await callerOf(req)
    send(res, await take({ caller, content, body }, context))
  }
}

/** Makes the short way of the same route, for posts that came whole and unpacked: the same steps in the same order. */
export function createPostWholeEvents({
  authenticator,
  quotas,
  budget,
  take,
}: Omit<PostEventsDeps, 'bodies'>): WholePostHandler {
  return async function postWholeEvents(post, { context, headers }) {
    const found = authenticator.authenticate(post.authorization, 'events:write')
    const caller = found instanceof Promise ? await found : found
    const content = readContent({ 'content-type': post.contentType })
    const { headers: limits, refusal } = quotas.admit(caller)
    Object.assign(headers, limits)
    if (refusal !== undefined) return refusal
    const lease = budget.open(caller.tenant)
    if (!lease.take(post.body.length)) throw outOfMemory()
    try {
      const answer = await take({ caller, content, body: post.body }, context)
      Object.assign(headers, answer.headers)
      return answer
    } finally {
      lease.release()
    }
  }
}

function send(res: ServerResponse, { status, headers, body }: Answer): void {
  res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
  res.end(body)
}

/** A caller is asked for again after so long: with what a revocation takes to be known here, within the second of design 5. */
const CALLER_KNOWN_MS = 500

/** Bytes of a body, unpacked; the one limit of requests that the reader needs. */
export const BODY_BYTES_MAX = LIMITS.requestBytesMax
