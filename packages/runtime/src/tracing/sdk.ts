import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import {
  ROOT_CONTEXT,
  SpanKind as OtelSpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Span as OtelSpan,
  type SpanContext,
  type Tracer,
} from '@opentelemetry/api'
import { parseKeyPairsIntoRecord } from '@opentelemetry/core'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { TracerProvider, type SpanExporter } from '@opentelemetry/sdk-trace'
import { createSampler } from './sampler.ts'
import { createSpanQueue } from './span-queue.ts'
import type { StartedTracing, StartTracingOptions } from './start-tracing.ts'
import type { TraceContext } from './trace-context.ts'
import type { TracingConfig } from './tracing-config.ts'
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

/** Tracing by OpenTelemetry's SDK; with `sampler.ts` and `span-queue.ts` all that knows it. Nothing of it is global. */
export async function createSdkTracing(o: StartTracingOptions): Promise<StartedTracing> {
  const exporter = await createExporter(o.config)
  const queue = createSpanQueue({ ...o, exporter })
  const provider = new TracerProvider({
    resource: resourceOf(o.service),
    sampler: createSampler(o.config),
    spanLimits: { attributeValueLengthLimit: ATTRIBUTE_LENGTH_MAX },
    spanProcessors: [queue],
  })

  function scope(name: string): Tracing {
    const tracer = provider.getTracer(name)
    return { start: (options) => startSpan(tracer, options), scope }
  }

  async function close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, CLOSE_MS, 'late')
    })
    const outcome = await Promise.race([provider.shutdown(), late])
    clearTimeout(timer)
    if (outcome === 'late') o.log.warn({ waited_ms: CLOSE_MS }, 'the last spans were not sent in time')
  }

  return { tracing: scope(`ariftly-${o.service}`), close }
}

/** Address, headers and the rest are the exporter's own to read from the environment; only secrets from files are not known to it. */
async function createExporter(config: TracingConfig): Promise<SpanExporter> {
  const headers = parseKeyPairsIntoRecord(config.OTEL_EXPORTER_OTLP_HEADERS)
  if (config.OTEL_EXPORTER_OTLP_PROTOCOL === 'http/json') {
    const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-http')
    return new OTLPTraceExporter({ headers })
  }
  const { OTLPTraceExporter } = await import('@opentelemetry/exporter-trace-otlp-proto')
  return new OTLPTraceExporter({ headers })
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

function startSpan(tracer: Tracer, o: SpanOptions): Span | undefined {
  const span = tracer.startSpan(
    o.name,
    {
      kind: KINDS[o.kind],
      ...(o.attributes === undefined ? {} : { attributes: o.attributes }),
      ...(o.links === undefined ? {} : { links: o.links.map((context) => ({ context: remote(context) })) }),
      ...(o.startMs === undefined ? {} : { startTime: o.startMs }),
    },
    contextOf(o.parent),
  )
  return span.isRecording() ? recorded(span) : undefined
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
