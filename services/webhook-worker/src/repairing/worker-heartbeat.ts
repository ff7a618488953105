import type { Queryable } from '@ariftly/store'

/** Records that a worker is alive. `id` is a UUID. By primary key. */
export async function beatWorker(db: Queryable, o: { readonly id: string }): Promise<void> {
  await db.query(
    `INSERT INTO webhook_workers (id) VALUES ($1)
     ON CONFLICT (id) DO UPDATE SET beat_at = clock_timestamp()`,
    [o.id],
  )
}

/** A worker that ends has given back its attempts. By primary key. */
export async function forgetWorker(db: Queryable, o: { readonly id: string }): Promise<void> {
  await db.query('DELETE FROM webhook_workers WHERE id = $1', [o.id])
}

/**
 * The workers whose last heartbeat is longer ago than `deadMs`. A heartbeat in the future is of before the clock of Postgres was set back:
 * it becomes one of now, so that a worker that died meanwhile is found `deadMs` later. Reads all workers.
 */
export async function listDeadWorkers(db: Queryable, o: { readonly deadMs: number }): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `WITH ahead AS (UPDATE webhook_workers SET beat_at = clock_timestamp() WHERE beat_at > clock_timestamp())
     SELECT id FROM webhook_workers WHERE beat_at < clock_timestamp() - $1 * interval '1 ms'`,
    [o.deadMs],
  )
  return rows.map(({ id }) => id)
}
