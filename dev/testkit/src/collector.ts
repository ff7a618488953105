import { startReceiver, type ReceivedRequest, type Respond } from './receiver.ts'

/** A span that a collector was sent; ids in hex. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  /** Empty for the first of its trace. */
  readonly parentSpanId: string
  readonly name: string
  readonly kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  readonly attributes: Readonly<Record<string, unknown>>
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly failed: boolean
  /** The service. */
  readonly scope: string
  /** Attributes of its process. */
  readonly resource: Readonly<Record<string, unknown>>
}

/** A collector on this machine that takes OTLP/JSON. */
export interface Collector {
  /** Settings of a service so that it sends its spans here, soon. */
  readonly env: Readonly<Record<string, string>>
  readonly url: string
  readonly requests: readonly ReceivedRequest[]
  /** All spans so far; their requests are JSON. */
  spans(): readonly ReceivedSpan[]
  respondWith(respond: Respond): void
  close(): Promise<void>
}

interface Attributed {
  readonly attributes?: readonly { readonly key: string; readonly value: object }[]
}

interface OtlpSpan extends Attributed {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status?: { readonly code?: number }
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: Attributed
    readonly scopeSpans: readonly { readonly scope: { readonly name: string }; readonly spans: readonly OtlpSpan[] }[]
  }[]
}

/** By the numbers of OTLP. */
const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const
const ERROR = 2

/** Starts it. */
export async function startCollector(): Promise<Collector> {
  const receiver = await startReceiver()
  receiver.respondWith(() => ({ headers: { 'content-type': 'application/json' }, body: '{}' }))
  const url = new URL(receiver.url).origin
  return {
    url,
    requests: receiver.requests,
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
    spans: () => receiver.requests.flatMap(({ body }) => readSpans(JSON.parse(body.toString('utf8')) as OtlpRequest)),
    respondWith: (respond) => receiver.respondWith(respond),
    close: () => receiver.close(),
  }
}

function readSpans({ resourceSpans }: OtlpRequest): ReceivedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ scope, spans }) =>
      spans.map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? '',
        name: span.name,
        kind: KINDS[span.kind] ?? 'internal',
        attributes: attributesOf(span),
        links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
        failed: span.status?.code === ERROR,
        scope: scope.name,
        resource: attributesOf(resource),
      })),
    ),
  )
}

function attributesOf({ attributes = [] }: Attributed): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as unknown]))
}
