import type { Pool } from '@ariftly/store'
import { listDeletedSince } from '@ariftly/store/tenants'

/** Prints the ids of the tenants whose deletion began on a day (`2026-11-28`, UTC) or later. Answers the exit code. */
export async function printDeleted(pool: Pool, day: string, print: (line: string) => void): Promise<number> {
  const sinceMs = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : Number.NaN
  if (Number.isNaN(sinceMs)) throw new Error(`${day} is no day: write it as 2026-11-28.`)
  for (const id of await listDeletedSince(pool, sinceMs)) print(id)
  return 0
}
