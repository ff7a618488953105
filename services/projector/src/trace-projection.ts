import type { LogBatch } from '@ariftly/kafka'
import { traceBatch, type Tracing } from '@ariftly/runtime'
import type { DecodedBatch } from './decode-batch.ts'
import type { WriteOutcome } from './write-batches.ts'

/** A batch that is written. */
export interface TracedBatch {
  readonly batch: LogBatch
  readonly decoded: DecodedBatch
  readonly topic: string
  readonly group: string
}

/** Writes a batch within its span. A batch that another process has written is an error of the span, not of the projector. */
export async function traceProjection(
  tracing: Tracing | undefined,
  { batch, decoded, topic, group }: TracedBatch,
  write: () => Promise<WriteOutcome>,
): Promise<WriteOutcome> {
  return await traceBatch(
    tracing,
    {
      operation: 'project',
      topic,
      partition: batch.partition,
      group,
      records: decoded.events,
      traceparentOf: ({ traceparent }) => traceparent,
      describe: (event) => event,
    },
    write,
    ({ type }) => (type === 'lost' ? 'position_moved' : undefined),
  )
}
