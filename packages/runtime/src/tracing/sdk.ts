import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  diag,
  ROOT_CONTEXT,
  SpanKind as OtelSpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span as OtelSpan,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api'
import { getStringFromEnv, parseKeyPairsIntoRecord } from '@opentelemetry/core'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOnSampler,
  RandomIdGenerator,
  SamplingDecision,
  TracerProvider,
  type Sampler,
  type SpanExporter,
} from '@opentelemetry/sdk-trace'
import { DeadlineError, withTimeout } from '@ariftly/async'
import { createSampler } from './sampler.ts'
import { createSpanQueue } from './span-queue.ts'
import type { StartedTracing, StartTracingOptions } from './started-tracing.ts'
import type { TraceContext } from '@ariftly/trace-context'
import type { Span, SpanEnd, SpanKind, SpanOptions, Tracing } from './tracing.ts'

const CLOSE_MS = 800
/** Attributes hold what strangers send, as paths. */
const ATTRIBUTE_LENGTH_MAX = 1024
const KINDS: Readonly<Record<SpanKind, OtelSpanKind>> = {
  server: OtelSpanKind.SERVER,
  client: OtelSpanKind.CLIENT,
  producer: OtelSpanKind.PRODUCER,
  consumer: OtelSpanKind.CONSUMER,
  internal: OtelSpanKind.INTERNAL,
}

/** Tracing by OpenTelemetry's SDK, which only this file, `sampler.ts` and `span-queue.ts` use. It leaves no globals. */
export async function createSdkTracing(o: StartTracingOptions): Promise<StartedTracing> {
  const Exporter = await exporterOf(getStringFromEnv('OTEL_EXPORTER_OTLP_PROTOCOL'))
  // The SDK says which variables it cannot use, and takes its default for them. Failures to export are counted in span-queue.ts.
  const warn = (message: string): void => o.log.warn(message)
  diag.setLogger({ error: warn, warn, info() {}, debug() {}, verbose() {} })
  const exporter = new Exporter({ headers: parseKeyPairsIntoRecord(o.config.OTEL_EXPORTER_OTLP_HEADERS) })
  const queue = createSpanQueue({ ...o, exporter })
  const sampler = createSampler()
  const resource = resourceOf(o.service)
  diag.disable()
  const ids = new RandomIdGenerator()
  let traceId = ''
  const provider = new TracerProvider({
    resource,
    // It is asked only for spans that are recorded, and begins a trace under the id by which that was decided.
    sampler: new AlwaysOnSampler(),
    idGenerator: { generateSpanId: () => ids.generateSpanId(), generateTraceId: () => traceId },
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_LENGTH_MAX },
    spanProcessors: [queue],
  })

  function scope(name: string): Tracing {
    const tracer = provider.getTracer(name)
    return {
      start(options) {
        const parent = contextOf(options.parent)
        traceId = options.parent?.traceId ?? ids.generateTraceId()
        return isRecorded(sampler, parent, traceId, options) ? startSpan(tracer, parent, options) : undefined
      },
      scope,
    }
  }

  async function close(): Promise<void> {
    await withTimeout(provider.shutdown(), CLOSE_MS).catch((error: unknown) => {
      if (!(error instanceof DeadlineError)) throw error
      o.log.warn({ waited_ms: CLOSE_MS }, 'the last spans were not sent in time')
    })
  }

  return { tracing: scope(`ariftly-${o.service}`), close }
}

interface ExporterOptions {
  readonly headers: Record<string, string>
}

/** The exporter reads its settings from the environment itself; it gets only secrets from files here. */
async function exporterOf(protocol = 'http/protobuf'): Promise<new (o: ExporterOptions) => SpanExporter> {
  if (protocol === 'http/json') return (await import('@opentelemetry/exporter-trace-otlp-http')).OTLPTraceExporter
  return (await import('@opentelemetry/exporter-trace-otlp-proto')).OTLPTraceExporter
}

function resourceOf(service: string) {
  const own = resourceFromAttributes({
    'service.name': `ariftly-${service}`,
    'service.instance.id': randomUUID(),
    'host.name': hostname(),
  })
  return defaultResource()
    .merge(own)
    .merge(detectResources({ detectors: [envDetector] }))
}

/** Most requests are not recorded: the SDK would build a span of each before it asks. */
function isRecorded(sampler: Sampler, parent: Context, traceId: string, o: SpanOptions): boolean {
  const { decision } = sampler.shouldSample(parent, traceId, o.name, KINDS[o.kind], {}, linksOf(o))
  return decision === SamplingDecision.RECORD_AND_SAMPLED
}

function startSpan(tracer: Tracer, parent: Context, o: SpanOptions): Span {
  const span = tracer.startSpan(
    o.name,
    {
      kind: KINDS[o.kind],
      links: linksOf(o),
      ...(o.attributes === undefined ? {} : { attributes: o.attributes }),
      ...(o.startMs === undefined ? {} : { startTime: o.startMs }),
    },
    parent,
  )
  return recorded(span)
}

function linksOf({ links }: SpanOptions): Link[] {
  return links === undefined ? [] : links.map((context) => ({ context: remote(context) }))
}

function contextOf(parent: TraceContext | undefined): Context {
  return parent === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, remote(parent))
}

function remote({ traceId, spanId, sampled }: TraceContext): SpanContext {
  return { traceId, spanId, traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE, isRemote: true }
}

function recorded(span: OtelSpan): Span {
  const { traceId, spanId } = span.spanContext()

  function end({ error, attributes, endMs }: SpanEnd = {}): void {
    if (attributes !== undefined) span.setAttributes(attributes)
    if (error !== undefined) span.setAttribute('error.type', error).setStatus({ code: SpanStatusCode.ERROR })
    span.end(endMs)
  }

  return { context: { traceId, spanId, sampled: true }, end }
}
