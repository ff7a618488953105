import { setTimeout as delay } from 'node:timers/promises'
import { describeLog, partitionCountFault, type LogPartition } from './describe-log.ts'
import type { FetchLoop } from './fetch-loop.ts'
import { Fault } from '@ariftly/fault'
import { kafkaFault } from './kafka-fault.ts'
import type { LogReaderOptions, PartitionLag, Position } from './log-reader-options.ts'
import { createPartitionGuard, type PartitionGuard } from './partition-guard.ts'
import { createPartitionLane, type PartitionLane } from './partition-lane.ts'
import type { FetchedPartition } from './wire/fetch.ts'

/** The partitions that a join gave us (or all), from the reading of their positions to the next join. */
export interface Assignment {
  readonly partitions: readonly number[]
  /** Judges an answer; answers the last offset taken over, or null to take none. */
  onFetched(partition: number, fetchedFrom: number, fetched: FetchedPartition): number | null
  /** Forgets where we were in these partitions and reads their positions again. */
  restart(partitions: readonly number[]): void
  lag(): ReadonlyMap<number, PartitionLag>
  /** The next offset of the partitions that went on since the last call. */
  uncommitted(): ReadonlyMap<number, number>
  /** Aborts all handlers and resolves when they have ended. */
  stop(): Promise<void>
}

export interface AssignmentOptions {
  readonly reader: LogReaderOptions
  readonly loop: FetchLoop
  readonly partitions: readonly number[]
  /** Settles when the handlers of the assignment before have ended: their writes are in the positions that we read. */
  readonly before: Promise<void>
  readonly withSlot: <T>(work: () => Promise<T>) => Promise<T>
  /** A batch could not be decoded or handled, and is tried again. */
  onBatchFailed(): void
  /** All partitions have a place to read from. */
  onPositioned(): void
  /** The log is not the one that it should be. */
  onFailure(error: Fault): void
}

/** A lane above the first number is not fetched for until it is below the second. */
const LANE_BYTES_HIGH = 4 * 1024 * 1024
const LANE_BYTES_LOW = 2 * 1024 * 1024
const RETRY_MS = 100
const RETRY_MS_MAX = 1_000
/** How long after the first sight of a wrong log end or start it is looked at again. */
const SECOND_LOOK_MS = 1_000

interface Reading {
  readonly guard: PartitionGuard
  readonly lane: PartitionLane
  highWatermark: number
  /** Since when records are there that have not been fetched; undefined when there are none. */
  unfetchedSinceMs: number | undefined
  paused: boolean
  committed: number
}

interface Positioned {
  readonly partition: number
  readonly position: Position
  readonly bounds: LogPartition
}

/** Begins to read the positions at once; a partition is fetched from when its own is known. */
export function createAssignment(o: AssignmentOptions): Assignment {
  const { reader, loop } = o
  const stopping = new AbortController()
  const readings = new Map<number, Reading>()
  const repositioning = new Set<Promise<void>>()

  async function begin(): Promise<void> {
    await o.before
    if (await positionAll(o.partitions)) o.onPositioned()
  }

  /** Reads positions until it succeeds; false when the assignment ended before. */
  async function positionAll(partitions: readonly number[]): Promise<boolean> {
    for (let pauseMs = RETRY_MS; !stopping.signal.aborted; pauseMs = Math.min(2 * pauseMs, RETRY_MS_MAX)) {
      try {
        for (const positioned of await readPlaces(partitions)) startReading(positioned)
        return !stopping.signal.aborted
      } catch (error) {
        if (error instanceof Fault && !error.retryable) {
          if (!stopping.signal.aborted) o.onFailure(error)
          return false
        }
        reader.log.warn({ err: error, groupId: reader.groupId, pauseMs }, 'positions could not be read yet')
        await pause(pauseMs)
      }
    }
    return false
  }

  async function readPlaces(partitions: readonly number[]): Promise<readonly Positioned[]> {
    if (partitions.length === 0) return []
    const first = await look(partitions)
    if (first.every(({ position, bounds }) => isWithin(position, bounds))) return first
    // A position outside of the log is believed at the second sight.
    await pause(SECOND_LOOK_MS)
    const second = await look(partitions)
    const beyond = second.find(({ position, bounds }) => position.nextOffset > bounds.logEnd)
    if (beyond) {
      throw identityFault('The log ends before the stored position.', {
        partition: beyond.partition,
        nextOffset: beyond.position.nextOffset,
        logEnd: beyond.bounds.logEnd,
      })
    }
    return second
  }

  async function look(partitions: readonly number[]): Promise<readonly Positioned[]> {
    const { clusterId, partitionCount, partitions: bounds } = await describeLog(reader.client, reader.topic, partitions)
    if (clusterId !== reader.clusterId) {
      throw identityFault('This is another Kafka cluster.', { expected: reader.clusterId, found: clusterId })
    }
    if (partitionCount !== reader.partitionCount) {
      throw partitionCountFault(reader.topic, reader.partitionCount, partitionCount)
    }
    const positions = await reader.positions(partitions)
    const byPartition = new Map(bounds.map((entry) => [entry.partition, entry]))
    return partitions.flatMap((partition) => {
      const position = positions.get(partition)
      const partitionBounds = byPartition.get(partition)
      if (position && partitionBounds) return [{ partition, position, bounds: partitionBounds }]
      reader.log.error({ groupId: reader.groupId, partition }, 'a partition has no position and is not read')
      return []
    })
  }

  function startReading({ partition, position, bounds }: Positioned): void {
    if (stopping.signal.aborted) return
    const { nextOffset, lastOffset, lastId } = position
    const lane = createLane(partition, nextOffset)
    const lost = bounds.logStart > nextOffset
    const verifiable = !lost && lastOffset !== null && lastId !== null && lastOffset >= bounds.logStart
    const guard = createPartitionGuard({
      partition,
      next: lost ? bounds.logStart : nextOffset,
      verify: verifiable ? { offset: lastOffset, id: lastId } : null,
    })
    const reading: Reading = {
      guard,
      lane,
      highWatermark: bounds.logEnd,
      unfetchedSinceMs: undefined,
      paused: false,
      committed: -1,
    }
    readings.set(partition, reading)
    noteUnfetched(reading)
    if (lost) {
      const { logStart } = bounds
      lane.pushGap({ partition, expected: nextOffset, found: logStart, logStart }, bounds.logEnd)
    }
    loop.start(partition, guard.readFrom)
  }

  function createLane(partition: number, next: number): PartitionLane {
    return createPartitionLane({
      partition,
      next,
      log: reader.log,
      batch: reader.batch,
      handle: (batch, signal) => reader.handle(batch, signal),
      hole: async (gap) => {
        reader.log.error({ groupId: reader.groupId, ...gap }, 'records are gone from the log before they were read')
        await reader.hole?.(gap)
      },
      onReread: () => restart([partition]),
      onFailed: () => o.onBatchFailed(),
      onDone: () => regulate(partition),
      withSlot: o.withSlot,
    })
  }

  function restart(partitions: readonly number[]): void {
    if (stopping.signal.aborted) return
    const lanes: PartitionLane[] = []
    const again: number[] = []
    for (const partition of partitions) {
      const reading = readings.get(partition)
      // Without one its position is being read just now.
      if (reading === undefined) continue
      readings.delete(partition)
      loop.pause(partition)
      lanes.push(reading.lane)
      again.push(partition)
    }
    if (again.length === 0) return
    const restarted = positionAgain(again, lanes)
    repositioning.add(restarted)
    void restarted.finally(() => repositioning.delete(restarted))
  }

  async function positionAgain(partitions: readonly number[], lanes: readonly PartitionLane[]): Promise<void> {
    await Promise.all(lanes.map((lane) => lane.stop()))
    await positionAll(partitions)
  }

  function onFetched(partition: number, fetchedFrom: number, fetched: FetchedPartition): number | null {
    const reading = readings.get(partition)
    if (reading === undefined) return null
    if (!fetched.outOfRange) reading.highWatermark = fetched.highWatermark
    const verdict = reading.guard.judge(fetchedFrom, fetched)
    noteUnfetched(reading)
    switch (verdict.type) {
      case 'idle':
        return null
      case 'seek':
        loop.seek(partition, verdict.offset)
        return null
      case 'outOfRange':
        restart([partition])
        return null
      case 'otherLog':
        o.onFailure(identityFault('Another record stands where we read the last one.', verdict.detail))
        return null
      case 'accept': {
        const { range, lostTo } = verdict
        if (lostTo !== null) {
          const gap = { partition, expected: range.from, found: lostTo, logStart: fetched.logStart }
          reading.lane.pushGap(gap, range.highWatermark)
        }
        reading.lane.push(lostTo === null ? range : { ...range, from: lostTo })
        regulate(partition)
        return range.to
      }
    }
  }

  function noteUnfetched(reading: Reading): void {
    if (reading.highWatermark <= reading.guard.next) reading.unfetchedSinceMs = undefined
    else reading.unfetchedSinceMs ??= (reader.now ?? Date.now)()
  }

  /** Back-pressure: the partition whose lane is full is fetched no more, until it is half empty. */
  function regulate(partition: number): void {
    const reading = readings.get(partition)
    if (reading === undefined) return
    if (!reading.paused && reading.lane.bytes > LANE_BYTES_HIGH) {
      reading.paused = true
      loop.pause(partition)
    } else if (reading.paused && reading.lane.bytes < LANE_BYTES_LOW) {
      reading.paused = false
      loop.resume(partition)
    }
  }

  async function pause(ms: number): Promise<void> {
    await delay(ms, undefined, { signal: stopping.signal }).catch(() => {})
  }

  const begun = begin()

  return {
    partitions: o.partitions.toSorted((a, b) => a - b),
    onFetched,
    restart,
    lag: () =>
      new Map(
        Array.from(readings, ([partition, { lane, highWatermark, unfetchedSinceMs }]) => [
          partition,
          {
            next: lane.next,
            highWatermark: Math.max(highWatermark, lane.next),
            oldestMs: lane.oldestMs ?? unfetchedSinceMs,
          },
        ]),
      ),
    uncommitted() {
      const moved = new Map<number, number>()
      for (const [partition, reading] of readings) {
        if (reading.committed === reading.lane.next) continue
        reading.committed = reading.lane.next
        moved.set(partition, reading.lane.next)
      }
      return moved
    },
    async stop() {
      stopping.abort()
      const stopped = Array.from(readings.values(), ({ lane }) => lane.stop())
      await Promise.all([...stopped, ...repositioning, begun])
    },
  }
}

function isWithin({ nextOffset }: Position, { logStart, logEnd }: LogPartition): boolean {
  return nextOffset >= logStart && nextOffset <= logEnd
}

function identityFault(message: string, detail: Readonly<Record<string, unknown>>): Fault {
  return kafkaFault('log_identity_changed', `${message} If that is meant, open a new epoch: adopt-log.`, { detail })
}
