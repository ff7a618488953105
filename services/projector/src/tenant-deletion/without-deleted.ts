import type { ProjectedEvent } from '@ariftly/store/projection'

/** The events of one partition without those of former owners, whose records end, by tenant, at `ends`. */
export function withoutDeleted(
  events: readonly ProjectedEvent[],
  ends: ReadonlyMap<string, number>,
): readonly ProjectedEvent[] {
  if (ends.size === 0) return events
  return events.filter(({ tenant, offset }) => offset >= (ends.get(tenant) ?? 0))
}
