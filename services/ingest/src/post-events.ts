import type { ServerResponse } from 'node:http'
import { LIMITS } from '@ariftly/events'
import { Problem, type RouteHandler, type WholePostHandler } from '@ariftly/http'
import type { Answer } from './answer.ts'
import type { PostPipeline } from './post-pipeline.ts'
import { discardRest, type BodyReader } from './request-body.ts'

/** Makes the handler of `POST /v1/events` on `node:http`, without a framework, which would cost more than all that happens here. */
export function createPostEvents(answerPost: PostPipeline, bodies: BodyReader): RouteHandler {
  return async function postEvents(req, res, { context }): Promise<void> {
    const { headers } = req
    try {
      const post = {
        url: req.url ?? '',
        headers,
        declaredBytes: declaredBytesOf(headers['content-length']),
        readBody: bodies.read.bind(bodies, req),
      }
      const answer = await answerPost(post, {
        context,
        setHeaders: (more) => setHeaders(res, more),
        onClose: (release) => onClosed(res, release),
      })
      if (answer instanceof Problem) throw answer
      send(res, answer)
    } finally {
      discardRest(req)
    }
  }
}

/** Makes the handler of posts that the fast path read: whole and not compressed. */
export function createPostWholeEvents(answerPost: PostPipeline): WholePostHandler {
  return async function postWholeEvents({ authorization, contentType, body }, call) {
    const post = {
      url: '/v1/events',
      headers: {
        ...(authorization === undefined ? {} : { authorization }),
        ...(contentType === undefined ? {} : { 'content-type': contentType }),
      },
      declaredBytes: body.length,
      readBody: () => body,
    }
    const answer = await answerPost(post, {
      context: call.context,
      setHeaders: (headers) => Object.assign(call.headers, headers),
      onClose: (release) => call.onClose(release),
    })
    if (!(answer instanceof Problem)) Object.assign(call.headers, answer.headers)
    return answer
  }
}

function declaredBytesOf(contentLength: string | undefined): number {
  return contentLength === undefined ? 0 : Math.min(Number(contentLength), BODY_BYTES_MAX)
}

function setHeaders(res: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const name in headers) res.setHeader(name, headers[name] ?? '')
}

/** A client that left before this has no `close` to come. */
function onClosed(res: ServerResponse, release: () => void): void {
  if (res.destroyed || res.closed) release()
  else res.once('close', release)
}

function send(res: ServerResponse, { status, headers, body }: Answer): void {
  res.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) })
  res.end(body)
}

/** Bytes of a body, decompressed; the one limit of requests that the reader needs. */
export const BODY_BYTES_MAX = LIMITS.requestBytesMax
