import { Fault } from '@ariftly/fault'
import { formatTraceparent, parseTraceparent, type TraceContext } from '@ariftly/trace-context'
import type { Span, SpanAttributes, SpanEnd, Tracing } from './tracing.ts'

/** Work on a batch of Kafka records. */
export interface BatchSpanOptions<R> {
  /** What is done with them; `send` is the producer's. */
  readonly operation: 'send' | 'project' | 'stream' | 'match'
  readonly topic: string
  readonly partition?: number
  readonly group?: string
  readonly records: readonly R[]
  /** The record's header, unchecked. */
  traceparentOf(record: R): string | null | undefined
  /** Asked for the first record of a trace that is recorded. */
  describe(record: R): RecordOfTrace
}

/** What a span says about a record. */
interface RecordOfTrace {
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly offset?: number
}

/** A batch under way that is recorded. */
export type BatchSpan = Pick<Span, 'end'>

/** Traces of a batch that are linked and continued; OpenTelemetry's limit of links of a span. */
const TRACES_MAX = 128

/**
 * Starts the span of a batch, linked to the traces of its records; undefined when none of them is sampled. At its end each of
 * these traces also gets its own span of the same time, so that one trace shows its events in all services. Records of the
 * same trace share one; of more than 128 traces the first are used.
 */
export function startBatchSpan<R>(tracing: Tracing | undefined, o: BatchSpanOptions<R>): BatchSpan | undefined {
  if (tracing === undefined) return undefined
  const { members, omitted } = membersOf(o)
  if (members.length === 0) return undefined
  const startMs = Date.now()
  const startedAt = performance.now()
  const common = commonAttributes(o)
  const started = tracing.start({
    name: `${o.operation} ${o.topic}`,
    kind: o.operation === 'send' ? 'producer' : 'consumer',
    links: members.map(({ context }) => context),
    attributes: {
      ...common,
      'messaging.batch.message_count': o.records.length,
      'ariftly.traces.omitted': omitted === 0 ? undefined : omitted,
    },
    startMs,
  })
  if (started === undefined) return undefined
  const batch = started

  function end(how: SpanEnd = {}): void {
    const endMs = startMs + performance.now() - startedAt
    for (const member of members) startMember(member)?.end({ error: how.error, endMs })
    batch.end({ ...how, endMs })
  }

  function startMember({ context, first, count }: Member<R>): Span | undefined {
    const { tenant, id, type, offset } = o.describe(first)
    return tracing?.start({
      name: `${o.operation} ${type}`,
      kind: o.operation === 'send' ? 'internal' : 'consumer',
      parent: context,
      links: [batch.context],
      attributes: {
        ...common,
        'messaging.batch.message_count': count,
        'messaging.kafka.offset': offset,
        'cloudevents.event_id': id,
        'cloudevents.event_type': type,
        'ariftly.tenant': tenant,
      },
      startMs,
    })
  }

  return { end }
}

/** Does `work` within the span of its batch, if there is one; `errorOf` says which outcomes are no success. */
export async function traceBatch<R, T>(
  tracing: Tracing | undefined,
  options: BatchSpanOptions<R>,
  work: () => Promise<T>,
  errorOf: (outcome: T) => string | undefined = () => undefined,
): Promise<T> {
  const span = startBatchSpan(tracing, options)
  if (span === undefined) return await work()
  let error: string | undefined
  try {
    const outcome = await work()
    error = errorOf(outcome)
    return outcome
  } catch (thrown) {
    error = errorTypeOf(thrown)
    throw thrown
  } finally {
    span.end({ error })
  }
}

/** `error.type` of a thrown value. */
export function errorTypeOf(thrown: unknown): string {
  if (thrown instanceof Fault) return thrown.code
  return thrown instanceof Error ? thrown.name : typeof thrown
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
    const text = o.traceparentOf(record)
    const context = maySample(text) ? parseTraceparent(text) : undefined
    if (context?.sampled !== true) continue
    const key = formatTraceparent(context)
    const member = byContext.get(key)
    if (member !== undefined) member.count += 1
    else if (byContext.size < TRACES_MAX) byContext.set(key, { context, first: record, count: 1 })
    else omitted += 1
  }
  return { members: [...byContext.values()], omitted }
}

/** Whether the last digit of the flags is odd. Most headers are passed over by it, and need not be read. */
function maySample(text: string | null | undefined): boolean {
  return typeof text === 'string' && text.length >= TRACEPARENT_LENGTH && '13579bdf'.includes(text.charAt(FLAGS_END))
}

const TRACEPARENT_LENGTH = 55
const FLAGS_END = TRACEPARENT_LENGTH - 1

/** OpenTelemetry's semantic conventions for messaging. */
function commonAttributes(o: Omit<BatchSpanOptions<never>, 'records' | 'traceparentOf' | 'describe'>): SpanAttributes {
  const { operation, topic, partition, group } = o
  return {
    'messaging.system': 'kafka',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation === 'send' ? 'send' : 'process',
    'messaging.destination.name': topic,
    'messaging.destination.partition.id': partition === undefined ? undefined : String(partition),
    'messaging.consumer.group.name': group,
  }
}
