import { TENANT, TENANT_SHAPE } from '@ariftly/contract'
import { withTransaction, type Pool } from '@ariftly/store'
import { deleteTenant, listDeletedSince } from './tenant-rows.ts'
import { BOOTSTRAP_TENANT } from './tenant-problems.ts'

/**
 * Starts the deletion of each tenant of a list, one id a line, after a restore from an older backup; also of tenants that the
 * backup does not have, as the log may. Returns the exit code: 1, with no deletion started, when a line cannot be a deleted
 * tenant. There are no entries in the audit log, as no key calls.
 */
export async function deleteAgain(pool: Pool, list: string, print: (line: string) => void): Promise<number> {
  const ids = list.split('\n').flatMap((line) => line.trim() || [])
  const bad = ids.filter((id) => !TENANT.test(id) || id === BOOTSTRAP_TENANT)
  if (bad.length > 0) {
    print(`Nothing was deleted. These cannot be deleted tenants: ${bad.join(', ')} (an id is ${TENANT_SHAPE})`)
    return 1
  }
  for (const id of ids) {
    const { type } = await withTransaction(pool, (tx) => deleteTenant(tx, id, { evenUnknown: true }))
    print(`${id}: ${type === 'absent' ? 'deleted' : 'deleting'}`)
  }
  return 0
}

/** Prints the ids of the tenants whose deletion began on a day (`2026-11-28`, UTC) or later. Answers the exit code. */
export async function printDeleted(pool: Pool, day: string, print: (line: string) => void): Promise<number> {
  const sinceMs = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : Number.NaN
  if (Number.isNaN(sinceMs)) throw new Error(`${day} is not a date: write it as 2026-11-28.`)
  for (const id of await listDeletedSince(pool, sinceMs)) print(id)
  return 0
}
