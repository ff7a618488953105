import type { ValidatedEvent } from '@ariftly/events'
import type { Caller, Problem, RequestContext } from '@ariftly/http'
import {
  isOutOfWindow,
  problemOfInvalid,
  renderResults,
  resultsOf,
  type Answer,
  type EntryResult,
  type UnwrittenCode,
} from './answer.ts'
import type { RecordStatus } from '../log/part.ts'
import type { ClockSkew } from '../log/clock-skew.ts'
import type { Content } from './content.ts'
import { readEntries } from './read-entries.ts'
import type { EventLog } from '../log/event-log.ts'
import type { ValidationQueue } from './validation-queue.ts'

interface TakeEventsDeps {
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

/** A complete, decompressed body and its caller. */
interface PostedBody {
  readonly caller: Caller
  readonly content: Content
  readonly body: Buffer
  /** Counts `events` in the quotas; returns the Problem 429 if they are too many now. */
  charge(events: number): Problem | undefined
  /** Waits for what may take long. @throws Problem when the caller's key has ended meanwhile. */
  wait<T>(waiting: Promise<T>): Promise<T>
}

/** Validates a body's events, writes the valid ones, and answers. Errors are Problems: thrown, or returned where frequent. */
export type TakeEvents = (posted: PostedBody, context: RequestContext) => Promise<Answer | Problem>

/** Makes what both ways of a post lead to. */
export function createTakeEvents(deps: TakeEventsDeps): TakeEvents {
  const { validations, log, isOtherLog, count, clock, historyMs } = deps

  return async function takeEvents(posted, context) {
    const { caller, content, body } = posted
    const { tenant } = caller
    const validation = {
      tenant,
      nowMs: clock.now(),
      latestMs: clock.latest(),
      traceparent: context.traceparent,
      historyMs: historyMs(),
    }
    const validated = validations.run(tenant, readEntries(content, body, validation))
    const checked = validated instanceof Promise ? await posted.wait(validated) : validated
    const events = checked.type === 'entries' ? checked.entries.length : 1
    const refusal = posted.charge(events)
    if (refusal !== undefined) return refusal
    if (checked.type === 'invalid') throw problemOfInvalid(checked)
    const valid: ValidatedEvent[] = []
    for (const entry of checked.entries) if (entry.ok) valid.push(entry.event)
    const statuses = await log.write(valid)
    const results = resultsOf(checked.entries, statuses)
    note(results, context.fields)
    return renderResults(results, { single: checked.single, unwritten: codeOfUnwritten(statuses) })
  }

  /** Why events are not written, if none is. */
  function codeOfUnwritten(statuses: readonly RecordStatus[]): UnwrittenCode {
    if (statuses.some(isOutOfWindow)) return 'clock_skew'
    return isOtherLog() ? 'log_identity_changed' : 'log_unavailable'
  }

  function note(results: readonly EntryResult[], fields: RequestContext['fields']): void {
    const counts = { accepted: 0, refused: 0, retry: 0 }
    for (const { status } of results) counts[status] += 1
    for (const status of STATUSES) if (counts[status] > 0) count(status, counts[status])
    fields['accepted'] = counts.accepted
    fields['refused'] = counts.refused
    fields['retry'] = counts.retry
  }
}

const STATUSES = ['accepted', 'refused', 'retry'] as const
