import { eventIdMs } from '@ariftly/events'
import type { Receiver } from '@ariftly/testkit'
import type pg from 'pg'
import type { Observation } from '../faults/ledger.ts'
import { LATE_MS, type Passage, type Stage } from './recovery.ts'

/** Records when events pass each stage, and keeps the late ones. */
export interface Delays {
  note(stage: Stage, id: string): void
  /** All late passages; of projection and delivery they are found now, when the run is over. */
  late(observation: Observation, receiver: Receiver): readonly Passage[]
  close(): Promise<void>
}

const POLL_MS = 100

/** The positions of the projection are read ten times a second through `db`. */
export function watchDelays(db: pg.Pool): Delays {
  const late: Passage[] = []
  /** Partition to the moments when its position was seen to have moved, in order. */
  const moves = new Map<number, { readonly next: number; readonly atMs: number }[]>()
  let polling: Promise<void> | undefined
  const timer = setInterval(() => {
    polling ??= poll()
      .catch(() => undefined) // Postgres is unavailable: the next poll succeeds or not.
      .finally(() => (polling = undefined))
  }, POLL_MS)

  async function poll(): Promise<void> {
    const sql = `SELECT partition, next_offset::float8 AS next FROM projection_offsets WHERE projection = 'events'`
    const { rows } = await db.query<{ partition: number; next: number }>(sql)
    const atMs = Date.now()
    for (const { partition, next } of rows) {
      const ofPartition = moves.get(partition) ?? []
      moves.set(partition, ofPartition)
      if (next !== ofPartition.at(-1)?.next) ofPartition.push({ next, atMs })
    }
  }

  function note(stage: Stage, id: string, atMs = Date.now()): void {
    const dueMs = eventIdMs(id)
    if (atMs - dueMs > LATE_MS) late.push({ stage, dueMs, passedMs: atMs })
  }

  function noteProjected(table: Observation['table']): void {
    for (const { id, partition, offset } of table) {
      const passed = moves.get(partition)?.find(({ next }) => next > offset)
      if (passed !== undefined) note('projected', id, passed.atMs)
    }
  }

  function noteDelivered(requests: Receiver['requests']): void {
    const seen = new Set<string>()
    for (const { headers, atMs } of requests) {
      const id = String(headers['webhook-id'])
      const delivery = `${String(headers['x-ariftly-webhook-id'])} ${id}`
      if (!seen.has(delivery)) note('delivered', id, atMs)
      seen.add(delivery)
    }
  }

  return {
    note: (stage, id) => note(stage, id),
    late(observation, receiver) {
      noteProjected(observation.table)
      noteDelivered(receiver.requests)
      return late
    },
    async close() {
      clearInterval(timer)
      await polling
    },
  }
}
