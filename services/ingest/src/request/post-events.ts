import type { ServerResponse } from 'node:http'
import { LIMITS } from '@ariftly/events'
import { Problem, type RouteHandler } from '@ariftly/http'
import type { FastPathHandler } from '@ariftly/http-fast-path'
import type { Answer } from './answer.ts'
import { createPlainContentReader, readContent } from './content.ts'
import type { MemoryLease } from '../admission/memory-budget.ts'
import type { PostPipeline } from './post-pipeline.ts'
import { discardRest, outOfMemory, type BodyReader } from './request-body.ts'

/** Bytes of a body, decompressed; the one limit of requests that the reader needs. */
export const BODY_BYTES_MAX = LIMITS.requestBytesMax

/** Dependencies of {@link createPostEvents} other than the pipeline. */
export interface PostEventsDeps {
  readonly bodies: BodyReader
  /** Called for each post. */
  readonly onPost: () => void
}

/** Makes the handler of `POST /v1/events` on `node:http`, without a framework, which would cost more than the rest of the request. */
export function createPostEvents(answerPost: PostPipeline, { bodies, onPost }: PostEventsDeps): RouteHandler {
  return async function postEvents(req, res, { context }): Promise<void> {
    onPost()
    const { headers } = req
    let held: MemoryLease | undefined
    try {
      const post = {
        url: req.url ?? '',
        authorization: headers.authorization,
        content: () => readContent(headers),
        declaredBytes: declaredBytesOf(headers['content-length']),
        readBody: bodies.read.bind(bodies, req),
      }
      const answer = await answerPost(post, {
        context,
        setHeaders: (more) => setHeaders(res, more),
        hold(lease) {
          held = lease
          countUnread(res, lease)
        },
      })
      if (answer instanceof Problem) throw answer
      send(res, answer)
    } finally {
      // Until here the body is held, also when the client has disconnected.
      if (held !== undefined) releaseOnceClosed(res, held)
      discardRest(req)
    }
  }
}

/** Makes the handler of posts that the fast path has read: complete, not compressed and without headers of a CloudEvent. */
export function createFastPostEvents(answerPost: PostPipeline, onPost: () => void): FastPathHandler {
  const contentOf = createPlainContentReader()

  return function postEventsFast({ headers, body }, call) {
    onPost()
    return answerPost(
      {
        url: '/v1/events',
        authorization: headers['authorization'],
        content: () => contentOf(headers['content-type']),
        declaredBytes: body.length,
        readBody: (_encoding, lease) => leased(body, lease),
      },
      call,
    )
  }
}

/** A body that is here already, once it is counted. */
function leased(body: Buffer, lease: MemoryLease): Buffer {
  if (!lease.take(body.length)) throw outOfMemory()
  return body
}

function declaredBytesOf(contentLength: string | undefined): number {
  return contentLength === undefined ? 0 : Math.min(Number(contentLength), BODY_BYTES_MAX)
}

function setHeaders(res: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const name in headers) res.setHeader(name, headers[name] ?? '')
}

/** Gives the lease the bytes that are unread once all of the answer is given to the socket. */
function countUnread(res: ServerResponse, lease: MemoryLease): void {
  res.once('prefinish', () => {
    if (res.writableLength > 0 && !lease.answered(res.writableLength)) res.destroy()
  })
}

/** If the client has disconnected already, no `close` follows. */
function releaseOnceClosed(res: ServerResponse, lease: MemoryLease): void {
  if (res.destroyed || res.closed) lease.release()
  else res.once('close', () => lease.release())
}

function send(res: ServerResponse, { status, headers, body }: Answer): void {
  res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
  res.end(body)
}
