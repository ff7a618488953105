import { encodeRecord, eventIdMs, partitionOf, type LogEvent } from '@ariftly/events'
import type { EventProducer, ProducerRecord } from '@ariftly/kafka'
import type { Breaker } from './breaker.ts'
import type { ClockSkew } from './clock-skew.ts'
import { Lane, type LaneOptions } from './lane.ts'
import type { Part, RecordStatus } from './part.ts'

/** The way into the log: batches the events of all requests. */
export interface EventLog {
  /**
   * Writes events and returns the status of each, in input order. The log keeps the order per key. Events of a partition that is
   * not writable now are `retry` immediately; all have a status within twice the produce timeout, and never before the last
   * produce request of these events has ended.
   */
  write(events: readonly LogEvent[]): Promise<readonly RecordStatus[]>
  /** Answers `retry` for all that waits for a partition. */
  failWaiting(partition: number): void
  /** Resolves when nothing waits or is under way. */
  idle(): Promise<void>
}

/** Options of {@link createEventLog}. */
export interface EventLogOptions extends Omit<LaneOptions, 'send' | 'breaker' | 'partitionBytesMax' | 'sendBytesMax'> {
  readonly producer: Pick<EventProducer, 'send'>
  readonly breaker: Pick<Breaker, 'admit' | 'stateOf' | 'sendBegan' | 'sendEnded' | 'isTrial'>
  /** As {@link ClockSkew.forecast} for the leader of a partition; by default nothing is expected. */
  readonly forecast?: (partition: number, idTimes: readonly number[]) => ReturnType<ClockSkew['forecast']>
  readonly partitions: number
  /** Default 900,000: the topic takes batches of 1,048,588. */
  readonly partitionBytesMax?: number
  /** Default 4 MiB. */
  readonly sendBytesMax?: number
}

/** Creates the log's lane. */
export function createEventLog(options: EventLogOptions): EventLog {
  const { producer, breaker, partitions, forecast = () => undefined } = options
  const lane = new Lane({ partitionBytesMax: 900_000, sendBytesMax: 4 * 1024 * 1024, ...options, send: producer.send })

  function write(events: readonly LogEvent[]): Promise<readonly RecordStatus[]> {
    if (events.length === 0) return Promise.resolve([])
    return new Promise((resolve) => {
      const statuses = events.map((): RecordStatus => 'retry')
      let open = events.length
      const parts = groupByPartition(events, partitions, (place, status) => {
        statuses[place] = status
        open -= 1
        if (open === 0) resolve(statuses)
      })
      for (const part of parts) {
        const status = admit(part)
        if (status === undefined) lane.add(part)
        else part.settle(0, part.records.length, status)
      }
    })
  }

  /** The status of a part that is not to be written now. */
  function admit({ partition, idTimes }: Part): RecordStatus | undefined {
    if (breaker.stateOf(partition) === 'open') return 'retry'
    const appendedAtMs = forecast(partition, idTimes)
    if (appendedAtMs !== undefined) return { type: 'outOfWindow', appendedAtMs }
    // A trial that the breaker admits must be sent.
    return breaker.admit(partition) ? undefined : 'retry'
  }

  return { write, failWaiting: (partition) => lane.failWaiting(partition), idle: () => lane.idle() }
}

type OpenPart = Part & {
  readonly records: ProducerRecord[]
  readonly idTimes: number[]
  readonly sizes: number[]
  readonly indexes: number[]
}

function groupByPartition(
  events: readonly LogEvent[],
  partitions: number,
  onStatus: (index: number, status: RecordStatus) => void,
): readonly Part[] {
  const parts: OpenPart[] = []
  for (let index = 0; index < events.length; index += 1) {
    const event = events[index] as LogEvent
    const { key, value, headers } = encodeRecord(event)
    const partition = partitionOf(key, partitions)
    // Parts are few: for most posts a map would cost more than everything else here.
    const part = parts.find((one) => one.partition === partition)
    const record = { partition, key, value, headers }
    const idMs = eventIdMs(event.id)
    const size = sizeOf(event, key)
    if (part === undefined) parts.push(openPart({ record, idMs, size, index }, onStatus))
    else {
      part.records.push(record)
      part.idTimes.push(idMs)
      part.sizes.push(size)
      part.indexes.push(index)
    }
  }
  return parts
}

/** With its first record in each list: an array that grows from nothing has room for seventeen, and most parts have one. */
function openPart(
  first: { readonly record: ProducerRecord; readonly idMs: number; readonly size: number; readonly index: number },
  onStatus: (index: number, status: RecordStatus) => void,
): OpenPart {
  const indexes = [first.index]
  return {
    partition: first.record.partition,
    records: [first.record],
    idTimes: [first.idMs],
    sizes: [first.size],
    indexes,
    settle(from, to, status) {
      for (let at = from; at < to; at++) onStatus(indexes[at] ?? -1, status)
    },
  }
}

/** Names of headers, their fixed values and the record's own numbers, bytes, at most. */
const FRAME_BYTES = 400

/** Bytes of a record in the log, at most: its value, its key, and the headers that repeat its names. */
function sizeOf(event: LogEvent, key: string): number {
  const names = (event.agent?.length ?? 0) * 2 + (event.sessionId?.length ?? 0)
  return event.data.length + key.length * 4 + names + FRAME_BYTES
}
