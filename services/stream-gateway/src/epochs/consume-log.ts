import { setImmediate as immediate } from 'node:timers/promises'
import { recordId } from '@ariftly/events'
import {
  startLogReader,
  type HandleOutcome,
  type KafkaClient,
  type LogBatch,
  type LogIdentity,
  type LogReader,
  type RecordView,
} from '@ariftly/kafka'
import { errorTypeOf, startBatchSpan, type Logger, type Tracing } from '@ariftly/runtime'
import type { Hub } from '../hub/hub.ts'
import type { WantedRecord } from '../log/duplicate-check.ts'
import { createDispatch, type Stretch } from './dispatch-records.ts'

interface ConsumeLogOptions {
  readonly client: KafkaClient
  readonly topic: string
  readonly identity: LogIdentity
  readonly hub: Hub
  readonly log: Logger
  /** Undefined when no traces are collected. */
  readonly tracing: Tracing | undefined
}

/** Records dispatched together: more would delay live streams and heartbeats. */
const STRETCH_RECORDS = 512

/** Reads all partitions of the log into the hub from the hub's position, without a consumer group: every gateway reads all. */
export function consumeLog(o: ConsumeLogOptions): LogReader {
  const { hub } = o
  const partitions = hub.ring.position.length
  /** The last record of each partition that had an id: the log's identity is checked against it when reading starts again. */
  const last = new Map<number, { readonly offset: number; readonly id: string }>()
  const dispatch = createDispatch({ hub, now: () => performance.now() })

  async function handle(batch: LogBatch, signal: AbortSignal): Promise<HandleOutcome> {
    const { partition, records } = batch
    for (let at = 0; at < records.length || at === 0; at += STRETCH_RECORDS) {
      if (at > 0) await immediate()
      const stretch = records.slice(at, at + STRETCH_RECORDS)
      const isEnd = at + STRETCH_RECORDS >= records.length
      const nextOffset = isEnd ? batch.lastOffset + 1 : (stretch.at(-1)?.offset ?? batch.lastOffset) + 1
      await handleStretch({ partition, records: stretch, nextOffset }, signal)
      noteLast(partition, stretch)
    }
    return { type: 'done' }
  }

  async function handleStretch(stretch: Stretch, signal: AbortSignal): Promise<void> {
    if (o.tracing === undefined) {
      await dispatch(stretch, signal)
      return
    }
    const spans: ReturnType<typeof startBatchSpan>[] = []
    try {
      await dispatch(stretch, signal, (wanted) => spans.push(startSpan(stretch.partition, wanted)))
    } catch (error) {
      for (const span of spans) span?.end({ error: errorTypeOf(error) })
      throw error
    }
    // The hub writes to the streams in a tick of the event loop that it has requested; this callback runs after it.
    setImmediate(() => {
      for (const span of spans) span?.end()
    })
  }

  function startSpan(partition: number, wanted: readonly WantedRecord[]): ReturnType<typeof startBatchSpan> {
    return startBatchSpan(o.tracing, {
      operation: 'stream',
      topic: o.topic,
      partition,
      records: wanted,
      traceparentOf: ({ event }) => event.traceparent,
      describe: ({ event: { tenant, id, type }, offset }) => ({ tenant, id, type, offset }),
    })
  }

  function noteLast(partition: number, records: readonly RecordView[]): void {
    for (let index = records.length - 1; index >= 0; index -= 1) {
      const record = records[index]
      const id = record && recordId(record)
      if (record === undefined || id === undefined) continue
      last.set(partition, { offset: record.offset, id })
      return
    }
  }

  return startLogReader({
    client: o.client,
    topic: o.topic,
    partitionCount: partitions,
    identity: o.identity,
    positions: async (wanted) =>
      new Map(
        wanted.map((partition) => {
          const seen = last.get(partition)
          const nextOffset = hub.ring.position[partition] ?? 0
          return [partition, { nextOffset, lastOffset: seen?.offset ?? null, lastId: seen?.id ?? null }]
        }),
      ),
    handle,
    async onGap(gap) {
      o.log.error({ ...gap }, 'the log has lost events before this gateway read them')
      hub.append({ partition: gap.partition, records: [], wanted: new Map(), filterVersion: -1, nextOffset: gap.found })
    },
    log: o.log,
  })
}
