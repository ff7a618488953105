import type { EgressOutcome } from '@ariftly/egress'
import type { Span, SpanAttributes, Tracing } from '@ariftly/runtime'
import { parseTraceparent } from '@ariftly/trace-context'
import type { OutgoingWebhook } from './webhook-format.ts'

/** By what, and with what more, an attempt is traced. */
export interface AttemptTrace {
  readonly tracing: Tracing
  readonly attributes?: SpanAttributes
}

/**
 * Starts the span of an attempt in its event's trace; undefined when that is not recorded. Of the URL it says no more than the server, as paths and queries
 * hold the subscribers' secrets.
 */
export function startAttemptSpan(webhook: OutgoingWebhook, { tracing, attributes }: AttemptTrace): Span | undefined {
  const parent = parseTraceparent(webhook.traceparent)
  // Decided at the head of the trace, for all of it.
  if (parent?.sampled === false) return undefined
  return tracing.start({
    name: 'POST',
    kind: 'client',
    parent,
    attributes: {
      'http.request.method': 'POST',
      ...serverOf(webhook.url),
      'cloudevents.event_id': webhook.event.id,
      'cloudevents.event_type': webhook.event.type,
      'ariftly.webhook.id': webhook.webhookId,
      'ariftly.tenant': webhook.tenant,
      ...attributes,
    },
  })
}

/** Ends it as the attempt ended. */
export function endAttemptSpan(span: Span, { errorClass, status, address }: EgressOutcome): void {
  span.end({
    error: errorClass ?? undefined,
    attributes: {
      'http.response.status_code': status ?? undefined,
      'network.peer.address': address ?? undefined,
    },
  })
}

function serverOf(url: string): SpanAttributes {
  if (!URL.canParse(url)) return {}
  const { protocol, hostname, port } = new URL(url)
  const standard = protocol === 'https:' ? 443 : 80
  return { 'server.address': hostname, 'server.port': port === '' ? standard : Number(port) }
}
