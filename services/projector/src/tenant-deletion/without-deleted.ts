import type { ProjectedEvent } from '@ariftly/store/projection'
import type { TenantLogEndsRead } from '@ariftly/store/tenants'

/** Events without those of former owners, whose records end at `ends`. */
export function withoutDeleted(events: readonly ProjectedEvent[], ends: TenantLogEndsRead): readonly ProjectedEvent[] {
  if (ends.size === 0) return events
  return events.filter(({ tenant, partition, offset }) => offset >= (ends.get(partition)?.get(tenant) ?? 0))
}
