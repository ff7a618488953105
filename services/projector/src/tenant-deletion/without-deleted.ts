import type { ProjectedEvent } from '../event-arrays.ts'
import type { Queryable } from '@ariftly/store'
import { deletedTenants } from '@ariftly/store/tenants'

/** Events without those of tenants that are being deleted or were deleted. In a transaction, after its first write. */
export async function withoutDeleted(
  db: Queryable,
  events: readonly ProjectedEvent[],
): Promise<readonly ProjectedEvent[]> {
  const deleted = await deletedTenants(
    db,
    events.map(({ tenant }) => tenant),
  )
  return deleted.size === 0 ? events : events.filter(({ tenant }) => !deleted.has(tenant))
}
