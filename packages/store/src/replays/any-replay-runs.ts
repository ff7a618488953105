import { prepared } from '../prepared.ts'
import type { Queryable } from '../queryable.ts'

/** Whether a replay has slices left to make, by this worker or another: one look by index webhook_replays_running, without a lock. */
export async function anyReplayRuns(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ any: boolean }>(
    prepared(`SELECT EXISTS (SELECT FROM webhook_replays WHERE state = 'running') AS any`, []),
  )
  return rows[0]?.any === true
}
