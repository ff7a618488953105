import { backoffMs, deferred, orAborted, sleep, type Deferred } from '@ariftly/async'
import { recordId } from '@ariftly/events'
import type { Fault } from '@ariftly/fault'
import { checkTwice } from '../topics/check-log.ts'
import type { KafkaClient } from '../cluster/client.ts'
import { describeAvailable, type LogPartition, type PartialLogDescription } from '../topics/describe-log.ts'
import { groupBy } from '../group-by.ts'
import { toKafkaFault } from '../kafka-fault.ts'
import { isWrongLog, logChanged, logFault } from '../log-identity.ts'
import type { LogReaderOptions, Position } from './log-reader-options.ts'
import { scanLog } from './scan-log.ts'
import type { TopicCluster } from '../cluster/topic-cluster.ts'

/** Where the reading of a partition starts, and the log's current bounds. */
export interface Located {
  readonly position: Position
  readonly bounds: LogPartition
}

/** Positions and log, read once. */
interface Snapshot extends PartialLogDescription {
  readonly positions: ReadonlyMap<number, Position>
  /** The ids of the last handled records that the log still has; null for a record that is no event. */
  readonly lastIds: ReadonlyMap<number, string | null>
}

const NOTHING_READ: Position = { nextOffset: 0, lastOffset: null, lastId: null }
const RETRY = { baseMs: 100, maxMs: 500 } as const

/**
 * Determines where reading starts: reads the stored positions, then the log's bounds and the last handled records, together
 * for all waiting partitions of a leader. In this order, so that the log is at least as far as the positions. A log that does
 * not fit (a wiped broker, another cluster) is a fault only if a second check a second later agrees. A partition without a
 * leader, or whose leader is silent, does not delay partitions of other leaders.
 */
export class Locator {
  readonly #reader: LogReaderOptions
  readonly #cluster: TopicCluster
  readonly #wanted = new Map<number, Deferred<Located | undefined>>()
  /** Partitions that no check includes yet. */
  readonly #new = new Set<number>()
  readonly #located = deferred()

  constructor(reader: LogReaderOptions) {
    this.#reader = reader
    this.#cluster = reader.client.topicCluster(reader.topic)
  }

  /** Resolves when all partitions wanted at first have a position, or are known to be unavailable. */
  get located(): Promise<void> {
    return this.#located.promise
  }

  /**
   * Where reading starts in a partition; undefined when it has no position (which is logged), or after the signal. Retries
   * while backends are unavailable. Rejects with `log_identity_changed` or `partition_count_changed`.
   */
  async locate(partition: number, signal: AbortSignal): Promise<Located | undefined> {
    const wanted = deferred<Located | undefined>()
    this.#wanted.set(partition, wanted)
    if (this.#new.size === 0) setImmediate(() => void this.#begin())
    this.#new.add(partition)
    try {
      return await orAborted(wanted.promise, signal)
    } finally {
      if (this.#wanted.get(partition) === wanted) this.#wanted.delete(partition)
    }
  }

  async #begin(): Promise<void> {
    const partitions = [...this.#new]
    this.#new.clear()
    // If this fails, all partitions are checked as one group, which asks for the leaders again.
    await this.#cluster.metadata().catch(() => {})
    const groups = groupBy(partitions, (partition) => this.#cluster.leaderOf(partition))
    const checks = groups.map(([, group]) => {
      const checked = deferred()
      void this.#locateGroup(group, checked)
      return checked.promise
    })
    await Promise.all(checks)
    this.#located.resolve()
  }

  /** Runs until all of these partitions have a position, or are not wanted any more. `checked` resolves after the first check. */
  async #locateGroup(partitions: readonly number[], checked: Deferred<void>): Promise<void> {
    let unavailable = ''
    let left = partitions
    for (let checks = 0; left.length > 0; checks += 1) {
      const pauseMs = backoffMs(checks, RETRY)
      try {
        const wanted = left
        const snapshot = await checkTwice({
          read: () => this.#readOnce(wanted),
          faultOf: (found) => logFault(this.#reader, found) ?? endFault(found) ?? recordFault(found),
          isDoubtful: isAnyLost,
        })
        unavailable = this.#settle(snapshot, unavailable)
        checked.resolve()
      } catch (error) {
        if (isWrongLog(error)) {
          for (const partition of left) this.#wanted.get(partition)?.reject(error)
          return
        }
        this.#reader.log.warn(
          { err: error, groupId: this.#reader.groupId, pauseMs },
          'positions cannot be read, retrying',
        )
      }
      left = left.filter((partition) => this.#wanted.has(partition))
      if (left.length > 0) await sleep(pauseMs)
    }
  }

  async #readOnce(partitions: readonly number[]): Promise<Snapshot> {
    const { client, topic } = this.#reader
    const positions = await this.#reader.positions(partitions)
    const described = await describeAvailable(client, topic, partitions)
    const lastIds = new Map<number, string | null>()
    const unavailable = new Map(described.unavailable)
    await Promise.all(
      described.partitions.map(async ({ partition, logStart, logEnd }) => {
        const { lastOffset, nextOffset } = positions.get(partition) ?? NOTHING_READ
        if (lastOffset === null || lastOffset < logStart || nextOffset > logEnd) return
        try {
          lastIds.set(partition, await idAt(client, { topic, partition, offset: lastOffset }))
        } catch (error) {
          unavailable.set(partition, toKafkaFault(error, topic))
        }
      }),
    )
    const available = described.partitions.filter(({ partition }) => !unavailable.has(partition))
    return { ...described, partitions: available, unavailable, positions, lastIds }
  }

  /** Resolves the available partitions, and logs the unavailable ones if they have changed. */
  #settle({ partitions, unavailable, positions }: Snapshot, before: string): string {
    const { log, groupId } = this.#reader
    for (const bounds of partitions) {
      const { partition } = bounds
      const position = positions.get(partition)
      if (position === undefined) log.error({ groupId, partition }, 'a partition has no position and is not read')
      this.#wanted.get(partition)?.resolve(position && { position, bounds })
      this.#wanted.delete(partition)
    }
    const names = [...unavailable.keys()].join()
    if (names !== before && names !== '') {
      const reasons = Array.from(unavailable, ([partition, { message }]) => ({ partition, message }))
      log.warn({ groupId, unavailable: reasons }, 'partitions are unavailable, waiting')
    }
    return names
  }
}

/** The fault of a log that ends before a position. */
function endFault({ partitions, positions }: Snapshot): Fault | undefined {
  for (const { partition, logEnd } of partitions) {
    const nextOffset = positions.get(partition)?.nextOffset ?? 0
    if (nextOffset <= logEnd) continue
    return logChanged('The log ends before the stored position.', { partition, nextOffset, logEnd })
  }
  return undefined
}

/** The fault of a log that has another record where the last one was handled. */
function recordFault({ positions, lastIds }: Snapshot): Fault | undefined {
  for (const [partition, found] of lastIds) {
    const { lastOffset, lastId } = positions.get(partition) ?? NOTHING_READ
    if (found === lastId) continue
    const detail = { partition, offset: lastOffset, expectedId: lastId, foundId: found }
    return logChanged('Another record is at the offset of the last handled one.', detail)
  }
  return undefined
}

/** Whether a position is below the log's start. */
function isAnyLost({ partitions, positions }: Snapshot): boolean {
  return partitions.some(({ partition, logStart }) => {
    const position = positions.get(partition)
    return position !== undefined && position.nextOffset < logStart
  })
}

/** The event id of the record at an offset; null when that is no event, or there is none. */
async function idAt(
  client: KafkaClient,
  { offset, ...place }: { readonly topic: string; readonly partition: number; readonly offset: number },
): Promise<string | null> {
  for await (const [record] of scanLog(client, { ...place, from: offset, to: offset + 1, bytesMax: 1 })) {
    return (record && recordId(record)) ?? null
  }
  return null
}
