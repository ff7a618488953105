import { formatTraceparent, parseTraceparent, type TraceContext } from './trace-context.ts'
import type { Span, SpanAttributes, SpanEnd, SpanKind, Tracing } from './tracing.ts'

/** Work on many records at once. */
export interface BatchSpanOptions<R> {
  /** Of the batch's span, and of what it adds to each trace. */
  readonly name: { readonly batch: string; readonly member: string }
  readonly kind: { readonly batch: SpanKind; readonly member: SpanKind }
  readonly attributes: SpanAttributes
  readonly records: readonly R[]
  traceparentOf(record: R): string | null | undefined
  /** More about the first record of a trace. */
  describe(record: R): SpanAttributes
}

/** A batch under way that is recorded. */
export type BatchSpan = Pick<Span, 'end'>

/** Traces of a batch that are linked and gone on with; OpenTelemetry's limit of links of a span. */
const TRACES_MAX = 128

/**
 * Starts the span of a batch, linked to the traces of its records; undefined when none of them is recorded. At its end each of these traces also gets a
 * span of its own, of the same time, so that one trace shows the way of its events through all services. Records of the same trace share
 * one; of more than 128 traces the first ones are taken.
 */
export function startBatchSpan<R>(tracing: Tracing | undefined, o: BatchSpanOptions<R>): BatchSpan | undefined {
  if (tracing === undefined) return undefined
  const { members, omitted } = membersOf(o)
  if (members.length === 0) return undefined
  const startMs = Date.now()
  const startedAt = performance.now()
  const batch = tracing.start({
    name: o.name.batch,
    kind: o.kind.batch,
    links: members.map(({ context }) => context),
    attributes: {
      ...o.attributes,
      'messaging.batch.message_count': o.records.length,
      'ariftly.traces.omitted': omitted === 0 ? undefined : omitted,
    },
    startMs,
  })
  if (batch === undefined) return undefined

  function end(how: SpanEnd = {}): void {
    const endMs = startMs + performance.now() - startedAt
    for (const { context, first, count } of members) {
      const attributes = { ...o.describe(first), 'messaging.batch.message_count': count }
      const { member: name } = o.name
      const links = batch === undefined ? [] : [batch.context]
      const span = tracing?.start({ name, kind: o.kind.member, parent: context, links, attributes, startMs })
      span?.end({ error: how.error, endMs })
    }
    batch?.end({ ...how, endMs })
  }

  return { end }
}

interface Member<R> {
  readonly context: TraceContext
  readonly first: R
  count: number
}

function membersOf<R>(o: BatchSpanOptions<R>): { readonly members: readonly Member<R>[]; readonly omitted: number } {
  const byContext = new Map<string, Member<R>>()
  let omitted = 0
  for (const record of o.records) {
    const context = parseTraceparent(o.traceparentOf(record))
    if (context?.sampled !== true) continue
    const key = formatTraceparent(context)
    const member = byContext.get(key)
    if (member !== undefined) member.count += 1
    else if (byContext.size < TRACES_MAX) byContext.set(key, { context, first: record, count: 1 })
    else omitted += 1
  }
  return { members: [...byContext.values()], omitted }
}
