import { setImmediate as nextTurn } from 'node:timers/promises'
import { decodeRecord, recordId, type RawRecord } from '@ariftly/events'
import { startLogReader, type HandleOutcome, type KafkaClient, type LogBatch, type LogReader } from '@ariftly/kafka'
import { errorTypeOf, startBatchSpan, type Logger, type Tracing } from '@ariftly/runtime'
import type { DuplicateCheck, EventRecord } from './duplicate-check.ts'
import type { FeedRecord, Hub } from '../streams/hub.ts'

/** What {@link consumeLog} needs. */
export interface ConsumeLogOptions {
  readonly client: KafkaClient
  readonly topic: string
  readonly clusterId: string
  readonly hub: Hub
  readonly copies: DuplicateCheck
  readonly log: Logger
  /** Undefined when no traces are collected. */
  readonly tracing: Tracing | undefined
}

/** Records that are decoded and dispatched at a stretch: more would hold up the live clients and their heartbeats. */
const STRETCH_RECORDS = 256

/**
 * Reads all partitions of the log into the hub, from the hub's own position on, in no consumer group: no other process has
 * a say in what is read here.
 */
export function consumeLog(o: ConsumeLogOptions): LogReader {
  const { hub, copies } = o
  const partitions = hub.ring.position.length
  /** The last record of each partition that had an id, by which the log's identity is checked whenever reading begins anew. */
  const last = new Map<number, { readonly offset: number; readonly id: string }>()

  async function handle(batch: LogBatch, signal: AbortSignal): Promise<HandleOutcome> {
    const { partition, records } = batch
    for (let at = 0; at < records.length; at += STRETCH_RECORDS) {
      if (at > 0) await nextTurn()
      const stretch = records.slice(at, at + STRETCH_RECORDS)
      const isEnd = at + STRETCH_RECORDS >= records.length
      const nextOffset = isEnd ? batch.lastOffset + 1 : (stretch.at(-1)?.offset ?? batch.lastOffset) + 1
      await dispatch(partition, stretch, nextOffset, signal)
    }
    if (records.length === 0) hub.append({ partition, records: [], nextOffset: batch.lastOffset + 1 })
    return { type: 'done' }
  }

  async function dispatch(
    partition: number,
    stretch: readonly RawRecord[],
    nextOffset: number,
    signal: AbortSignal,
  ): Promise<void> {
    const position = hub.ring.position[partition] ?? 0
    const events: EventRecord[] = []
    for (const record of stretch) {
      // A batch that failed half-way comes again.
      if (record.offset < position) continue
      const id = recordId(record)
      if (id !== undefined) last.set(partition, { offset: record.offset, id })
      const decoded = decodeRecord(record, partitions)
      if (decoded.kind === 'deadLetter') continue
      events.push({ offset: record.offset, appendedAtMs: record.timestampMs, event: decoded.event })
    }
    const span = startBatchSpan(o.tracing, {
      operation: 'stream',
      topic: o.topic,
      partition,
      records: events,
      traceparentOf: ({ event }) => event.traceparent,
      describe: ({ event: { tenant, id, type }, offset }) => ({ tenant, id, type, offset }),
    })
    try {
      const found = await copies.find(partition, events, signal)
      // A handler that was given up (the assignment changed) must not append behind its successor's back.
      signal.throwIfAborted()
      if (hub.ring.position[partition] !== position) throw new Error('Two handlers read the same partition.')
      hub.append({ partition, records: events.map((event) => withCopy(event, found)), nextOffset })
    } catch (error) {
      span?.end({ error: errorTypeOf(error) })
      throw error
    }
    // The hub has asked for the turn in which it writes to the streams; this is the one behind it.
    if (span !== undefined) setImmediate(() => span.end())
  }

  return startLogReader({
    client: o.client,
    topic: o.topic,
    partitionCount: partitions,
    clusterId: o.clusterId,
    positions: async (wanted) =>
      new Map(
        wanted.map((partition) => {
          const seen = last.get(partition)
          const nextOffset = hub.ring.position[partition] ?? 0
          return [partition, { nextOffset, lastOffset: seen?.offset ?? null, lastId: seen?.id ?? null }]
        }),
      ),
    handle,
    async hole(gap) {
      o.log.error({ ...gap }, 'the log has lost events before this gateway read them')
      hub.append({ partition: gap.partition, records: [], nextOffset: gap.found })
    },
    onIdentityChanged(detail) {
      o.log.error({ ...detail }, 'the log is not the one that this gateway has read')
    },
    log: o.log,
  })
}

function withCopy(record: EventRecord, copies: ReadonlySet<number>): FeedRecord {
  return { ...record, isCopy: copies.has(record.offset) }
}
