import type { EventProducer, ProducerRecord } from '@ariftly/kafka'
import { traceBatch, type Tracing } from '@ariftly/runtime'

/** A producer whose sends have spans, linked to the spans of the requests with these events. Without tracing, the producer itself. */
export function traceSends(
  producer: Pick<EventProducer, 'send'>,
  tracing: Tracing | undefined,
  topic: string,
): Pick<EventProducer, 'send'> {
  if (tracing === undefined) return producer

  const send: EventProducer['send'] = (records, options) =>
    traceBatch(
      tracing,
      {
        operation: 'send',
        topic,
        records,
        traceparentOf: (record) => headerOf(record, 'traceparent'),
        describe: (record) => ({
          tenant: headerOf(record, 'ce_tenant') ?? '',
          id: headerOf(record, 'ce_id') ?? '',
          type: headerOf(record, 'ce_type') ?? '',
        }),
      },
      () => producer.send(records, options),
      ({ partitions }) => {
        for (const outcome of partitions.values()) if (outcome.type !== 'written') return outcome.code
        return undefined
      },
    )

  return { send }
}

/** Ingest writes each header once, as text. */
function headerOf({ headers }: ProducerRecord, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}
