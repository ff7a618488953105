import type { Queryable } from '@ariftly/store'
import { eventually } from './eventually.ts'

/** Waits until another session waits for a lock that this one holds. */
export async function untilBlocking(session: Queryable): Promise<void> {
  const waiting = 'SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))'
  await eventually('a session waits for this one', async () => (await session.query(waiting)).rows.length > 0)
}
