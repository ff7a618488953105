import type { Authenticator } from '@ariftly/auth'
import type { ValidatedEntry, ValidatedEvent } from '@ariftly/events'
import { readQuery, type Problem, type RequestContext } from '@ariftly/http'
import type { MemoryBudget, MemoryLease } from '../admission/memory-budget.ts'
import type { Quotas } from '../admission/quota.ts'
import type { ClockSkew } from '../log/clock-skew.ts'
import type { EventLog } from '../log/event-log.ts'
import type { RecordStatus } from '../log/part.ts'
import {
  isOutOfWindow,
  problemOfInvalid,
  renderResults,
  resultsOf,
  type Answer,
  type EntryResult,
  type UnwrittenCode,
} from './answer.ts'
import type { Content } from './content.ts'
import { readEntries } from './read-entries.ts'
import { outOfMemory } from './request-body.ts'
import type { ValidationQueue } from './validation-queue.ts'

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

/** Dependencies of {@link createPostPipeline}. */
export interface PostPipelineDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly quotas: Quotas
  readonly budget: MemoryBudget
  readonly validations: Pick<ValidationQueue, 'run'>
  readonly log: Pick<EventLog, 'write'>
  /** Whether nothing is written as the topic is that of another log. */
  readonly isOtherLog: () => boolean
  readonly count: (status: EntryResult['status'], events: number) => void
  /** The clock by which ids are minted and validated. */
  readonly clock: Pick<ClockSkew, 'now' | 'latest'>
  /** How long events are kept, milliseconds: older ones are refused. */
  readonly historyMs: () => number
}

/**
 * The steps of `POST /v1/events` for both readers of HTTP: key, query, content type, quota, memory, body, validation, quota, log.
 * Returns the answer. Errors are Problems: thrown, or returned where frequent (a throw costs more than a 429).
 */
export type PostPipeline = (post: Post, call: PostCall) => Promise<Answer | Problem>

/** Makes the pipeline. */
export function createPostPipeline(deps: PostPipelineDeps): PostPipeline {
  const { authenticator, quotas, budget, validations, log, isOtherLog, count, clock, historyMs } = deps

  return async function answerPost(post, call) {
    const { url, authorization, declaredBytes } = post
    const { context } = call
    const found = authenticator.authenticate(authorization, 'events:write')
    // With a cached key there is no await.
    const caller = found instanceof Promise ? await found : found
    const { tenant } = caller
    context.tenant = tenant

    if (url.includes('?')) readQuery(url, {})

    const content = post.content()

    const admission = quotas.admit(caller, declaredBytes)
    call.setHeaders(admission.headers)
    if (admission.refusal !== undefined) return admission.refusal

    const lease = budget.open(tenant)
    if (lease === undefined) throw outOfMemory()
    call.hold(lease)

    const read = post.readBody(content.encoding, lease)
    const body = read instanceof Promise ? await waitAsCaller(read, authorization) : read

    const validation = {
      tenant,
      nowMs: clock.now(),
      latestMs: clock.latest(),
      traceparent: context.traceparent,
      historyMs: historyMs(),
    }
    const validated = validations.run(tenant, readEntries(content, body, validation))
    const checked = validated instanceof Promise ? await waitAsCaller(validated, authorization) : validated

    // Before an invalid body is refused: what it cost is counted.
    const events = checked.type === 'entries' ? checked.entries.length : 1
    const charge = quotas.charge(caller, { events, bytes: body.length, declaredBytes })
    call.setHeaders(charge.headers)
    if (charge.refusal !== undefined) return charge.refusal
    if (checked.type === 'invalid') throw problemOfInvalid(checked)

    const statuses = await log.write(validOf(checked.entries))

    const results = resultsOf(checked.entries, statuses)
    note(results, context.fields)
    return renderResults(results, { single: checked.single, unwritten: codeOfUnwritten(statuses) })
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

  function note(results: readonly EntryResult[], fields: RequestContext['fields']): void {
    const counts = { accepted: 0, refused: 0, retry: 0 }
    for (const { status } of results) counts[status] += 1
    for (const status of STATUSES) if (counts[status] > 0) count(status, counts[status])
    fields['accepted'] = counts.accepted
    fields['refused'] = counts.refused
    fields['retry'] = counts.retry
  }

  /** Why events are not written, if none is. */
  function codeOfUnwritten(statuses: readonly RecordStatus[]): UnwrittenCode {
    if (statuses.some(isOutOfWindow)) return 'clock_skew'
    return isOtherLog() ? 'log_identity_changed' : 'log_unavailable'
  }
}

/** A caller is authenticated again after this long, so that a revocation is known within a second. */
const CALLER_KNOWN_MS = 500

const STATUSES = ['accepted', 'refused', 'retry'] as const

function validOf(entries: readonly ValidatedEntry[]): ValidatedEvent[] {
  const valid: ValidatedEvent[] = []
  for (const entry of entries) if (entry.ok) valid.push(entry.event)
  return valid
}
