import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A span as OTLP/JSON has it. */
export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: unknown }[]
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[]
  readonly status: { readonly code?: number }
  readonly scope: string
}

/** A collector on this machine, with the spans that it received. */
export interface Collector {
  readonly url: string
  readonly spans: OtlpSpan[]
  readonly resources: Record<string, unknown>[]
  /** Of each request, with `:path`. */
  readonly headers: IncomingHttpHeaders[]
  close(): void
}

/** Starts a collector for tests that reads OTLP/JSON; other encodings are taken unread. */
export async function startCollector(
  answer: (res: ServerResponse) => void = (res) => res.end('{}'),
): Promise<Collector> {
  const server = createServer((req, res) => void take(req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const collector: Collector = { url: `http://127.0.0.1:${port}`, spans: [], resources: [], headers: [], close }

  async function take(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of req) chunks.push(chunk as Buffer)
    collector.headers.push({ ...req.headers, ':path': req.url ?? '' })
    if (req.headers['content-type'] === 'application/json') note(collector, Buffer.concat(chunks).toString('utf8'))
    res.setHeader('content-type', 'application/json')
    answer(res)
  }

  function close(): void {
    server.close()
    server.closeAllConnections()
  }

  return collector
}

function note({ spans, resources }: Collector, body: string): void {
  const { resourceSpans } = JSON.parse(body) as {
    resourceSpans: { resource: { attributes: OtlpSpan['attributes'] }; scopeSpans: ScopeSpans[] }[]
  }
  for (const { resource, scopeSpans } of resourceSpans) {
    resources.push(attributesOf(resource))
    for (const { scope, spans: more } of scopeSpans) spans.push(...more.map((span) => ({ ...span, scope: scope.name })))
  }
}

interface ScopeSpans {
  readonly scope: { readonly name: string }
  readonly spans: readonly Omit<OtlpSpan, 'scope'>[]
}

/** The attributes of a span; values lose the type that OTLP/JSON gives them. */
export function attributesOf({ attributes }: Pick<OtlpSpan, 'attributes'>): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value as object)[0]]))
}
