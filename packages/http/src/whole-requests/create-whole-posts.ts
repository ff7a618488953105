import type { Logger, Metrics, Tracing, WholeAnswer, WholePost, WholePosts } from '@ariftly/runtime'
import { createLateTurns } from '../late-turns.ts'
import { observeRequests } from '../observe-request.ts'
import { Problem, problemBody, problemOfError } from '../problem.ts'
import { createRequestContext, type RequestContext } from '../request-context.ts'
import { startRequestSpan } from '../request-span.ts'
import { routeOf, type RouteName } from '../routes.ts'

/**
 * Answers a post, or rejects with what is answered like in a {@link RouteHandler}: a Problem as it is, all else as 500 or 503. A Problem that is frequent may be
 * given instead, as a throw costs more than it. It may add to `headers`, which the answer then has, whatever it is.
 */
export type WholePostHandler = (post: WholePost, call: WholePostCall) => Promise<WholeReply | Problem>

/** How a post is answered. */
interface WholePostCall {
  readonly context: RequestContext
  /** Of the answer, whatever it is. */
  readonly headers: Record<string, string>
  /** Calls back when the answer was written, or could not be as the client had gone. */
  onClose(release: () => void): void
}

/** An answer that is no problem. */
interface WholeReply {
  readonly status: number
  readonly body: string
}

/** What the short way of a route needs. */
export interface WholePostsOptions {
  readonly route: RouteName
  readonly handler: WholePostHandler
  readonly log: Logger
  readonly metrics: Metrics
  /** Undefined when no traces are collected. */
  readonly tracing?: Tracing | undefined
}

/** Makes the short way of one route, as `createRouter` makes the usual one: request id, log line, metrics and problems are the same. */
export function createWholePosts(options: WholePostsOptions): WholePosts {
  const { route, handler, log, tracing } = options
  const { method, path } = routeOf(route)
  const observer = observeRequests(options)
  const lateTurn = createLateTurns()

  async function answer(post: WholePost): Promise<WholeAnswer> {
    const startedMs = performance.now()
    const context = createRequestContext(post.requestId, post.traceparent)
    if (tracing !== undefined) {
      startRequestSpan(tracing, context, { method, path, route, traceparent: post.traceparent })
    }
    const headers: Record<string, string> = { 'X-Request-Id': context.requestId }
    const releases: (() => void)[] = []
    const onClose = (release: () => void): void => void releases.push(release)
    const { status, body } = await handle(post, { context, headers, onClose })
    return {
      status,
      headers,
      body,
      ended(complete) {
        for (const release of releases) release()
        observer.ended({ method, path, route, status: complete ? status : 0, complete, startedMs }, context)
      },
    }
  }

  async function handle(...[post, call]: Parameters<WholePostHandler>): Promise<WholeReply> {
    try {
      const given = await handler(post, call)
      return given instanceof Problem ? await replyOf(given, call) : given
    } catch (error) {
      const { requestId } = call.context
      return await replyOf(problemOfError(error, { requestId, method, path, log }), call)
    }
  }

  async function replyOf(problem: Problem, { context, headers }: Parameters<WholePostHandler>[1]): Promise<WholeReply> {
    context.refusedKey = problem.details.refusedKey
    if (context.refusedKey !== undefined) await lateTurn()
    Object.assign(headers, problem.details.headers, PROBLEM_HEADERS)
    return { status: problem.status, body: JSON.stringify(problemBody(problem, path, context.requestId)) }
  }

  return { path, answer }
}

const PROBLEM_HEADERS = { 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' } as const
