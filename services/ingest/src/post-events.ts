import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIMITS, validateEvents, type ValidatedEvent } from '@ariftly/events'
import type { Authenticator, Caller, RouteHandler } from '@ariftly/http'
import { problemOfInvalid, resultsOf, sendResults, type EntryResult } from './answer.ts'
import { readContent } from './content.ts'
import type { EventLog } from './event-log.ts'
import type { MemoryBudget, MemoryLease } from './memory-budget.ts'
import type { Quotas } from './quota.ts'
import { discardRest, type BodyReader } from './request-body.ts'

/** What the handler needs. */
export interface PostEventsDeps {
  readonly authenticator: Pick<Authenticator, 'authenticate'>
  readonly quotas: Quotas
  readonly budget: MemoryBudget
  readonly bodies: BodyReader
  readonly log: Pick<EventLog, 'write'>
  readonly count: (status: EntryResult['status'], events: number) => void
  /** Epoch milliseconds; default `Date.now`. */
  readonly now?: () => number
}

/**
 * Makes the handler of `POST /v1/events`: on bare `node:http`, as a framework would cost more than all that happens here. What is refused or cannot be
 * written is a Problem.
 */
export function createPostEvents(deps: PostEventsDeps): RouteHandler {
  const { authenticator, quotas, budget, now = Date.now } = deps

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
    const headers = quotas.admit(caller)
    for (const name in headers) res.setHeader(name, headers[name] ?? '')
    const askedMs = performance.now()
    const body = await deps.bodies.read(req, content.encoding, lease)
    // A key that is revoked while its body trickles in writes nothing any more.
    if (performance.now() - askedMs > CALLER_KNOWN_MS) await callerOf(req)
    const { tenant } = caller
    const checked = validateEvents(body, content.kind, { tenant, nowMs: now(), traceparent: context.traceparent })
    quotas.charge(caller, checked.type === 'entries' ? checked.entries.length : 1, body.length)
    if (checked.type === 'invalid') throw problemOfInvalid(checked)
    const events: ValidatedEvent[] = []
    for (const entry of checked.entries) if (entry.ok) events.push(entry.event)
    const results = resultsOf(checked.entries, await deps.log.write(events))
    note(results, context.fields)
    sendResults(res, results, checked.single)
  }

  function note(results: readonly EntryResult[], fields: Record<string, unknown>): void {
    const counts = { accepted: 0, refused: 0, retry: 0 }
    for (const { status } of results) counts[status] += 1
    for (const status of STATUSES) if (counts[status] > 0) deps.count(status, counts[status])
    Object.assign(fields, counts)
  }
}

/** A caller is asked for again after so long: with what a revocation takes to be known here, within the second of design 5. */
const CALLER_KNOWN_MS = 500

const STATUSES = ['accepted', 'refused', 'retry'] as const

/** Bytes of a body, unpacked; the one limit of requests that the reader needs. */
export const BODY_BYTES_MAX = LIMITS.requestBytesMax
