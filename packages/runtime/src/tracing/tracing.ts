import type { TraceContext } from '@ariftly/trace-context'

/** What a span says about its work; names of OpenTelemetry's semantic conventions where there is one. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean | undefined>>

/** The part that a span has in a conversation. */
export type SpanKind = 'server' | 'client' | 'producer' | 'consumer' | 'internal'

/** A span to start. */
export interface SpanOptions {
  /** With few values: no ids in it. */
  readonly name: string
  readonly kind: SpanKind
  /** The trace that it continues; without one it begins a trace, if the sampler says so. */
  readonly parent?: TraceContext | undefined
  /** Traces that it also worked for. Without a parent it is recorded when one of them is. */
  readonly links?: readonly TraceContext[]
  readonly attributes?: SpanAttributes
  /** When it began, epoch milliseconds; default: now. */
  readonly startMs?: number
}

/** How a span ended. */
export interface SpanEnd {
  /** `error.type` of work that failed: a class with few values. */
  readonly error?: string | undefined
  readonly attributes?: SpanAttributes | undefined
  /** Epoch milliseconds; default: now. */
  readonly endMs?: number
}

/** Work under way that is recorded. */
export interface Span {
  /** The context to send on. */
  readonly context: TraceContext
  /** To be called once. */
  end(end?: SpanEnd): void
}

/** Records spans. A process without it has `undefined` in its place, so that traces that no one collects cost nothing. */
export interface Tracing {
  /** Starts a span; undefined when it is not sampled (head sampling): requests then carry the parent's context. Never throws. */
  start(options: SpanOptions): Span | undefined
  /** The same under the name of a part of this process, which is the instrumentation scope of its spans. */
  scope(name: string): Tracing
}
