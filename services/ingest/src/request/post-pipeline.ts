import type { Authenticator } from '@ariftly/auth'
import { readQuery, type Problem, type RequestContext } from '@ariftly/http'
import type { Answer } from './answer.ts'
import type { Content } from './content.ts'
import type { MemoryBudget, MemoryLease } from '../admission/memory-budget.ts'
import type { Quotas } from '../admission/quota.ts'
import { outOfMemory } from './request-body.ts'
import type { TakeEvents } from './take-events.ts'

/** The head of a post, and readers of the rest. */
interface Post {
  /** With the query, if there is one. */
  readonly url: string
  readonly authorization: string | undefined
  /** How the body is written. @throws Problem 415 or 422. */
  content(): Content
  /** `Content-Length`; 0 without one. */
  readonly declaredBytes: number
  /** The whole body, decompressed. */
  readBody(encoding: Content['encoding'], lease: MemoryLease): Buffer | Promise<Buffer>
}

/** How a post is answered. */
interface PostCall {
  readonly context: RequestContext
  /** Adds headers to the answer, with any status. */
  setHeaders(headers: Readonly<Record<string, string>>): void
  /**
   * Gives the lease the unread bytes of the answer, and releases it when the pipeline has ended and all is sent or the client has
   * disconnected.
   */
  hold(lease: MemoryLease): void
}

interface PostPipelineDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly quotas: Quotas
  readonly budget: MemoryBudget
  readonly take: TakeEvents
}

/**
 * The steps of `POST /v1/events` for both readers of HTTP: key, query, content type, quota, memory, body, validation, quota, log.
 * Returns the answer. Errors are Problems: thrown, or returned where frequent (a throw costs more than a 429).
 */
export type PostPipeline = (post: Post, call: PostCall) => Promise<Answer | Problem>

/** Makes the pipeline. */
export function createPostPipeline({ authenticator, quotas, budget, take }: PostPipelineDeps): PostPipeline {
  return async function answerPost(post, call) {
    const { url, authorization, declaredBytes } = post
    const found = authenticator.authenticate(authorization, 'events:write')
    // With a cached key there is no await.
    const caller = found instanceof Promise ? await found : found
    call.context.tenant = caller.tenant
    if (url.includes('?')) readQuery(url, {})
    const content = post.content()
    const admission = quotas.admit(caller, declaredBytes)
    call.setHeaders(admission.headers)
    if (admission.refusal !== undefined) return admission.refusal
    const lease = budget.open(caller.tenant)
    if (lease === undefined) throw outOfMemory()
    call.hold(lease)
    const read = post.readBody(content.encoding, lease)
    const wait = <T>(waiting: Promise<T>): Promise<T> => waitAsCaller(waiting, authorization)
    const body = read instanceof Promise ? await wait(read) : read
    const charge = (events: number): Problem | undefined => {
      const { headers, refusal } = quotas.charge(caller, { events, bytes: body.length, declaredBytes })
      call.setHeaders(headers)
      return refusal
    }
    return await take({ caller, content, body, charge, wait }, call.context)
  }

  /** A key that is revoked while its body trickles in, or waits to be validated, writes nothing any more. */
  async function waitAsCaller<T>(waiting: Promise<T>, authorization: string | undefined): Promise<T> {
    const askedMs = performance.now()
    const result = await waiting
    if (performance.now() - askedMs > CALLER_KNOWN_MS) {
      await authenticator.authenticate(authorization, 'events:write')
    }
    return result
  }
}

/** A caller is authenticated again after this long, so that a revocation is known within a second. */
const CALLER_KNOWN_MS = 500
