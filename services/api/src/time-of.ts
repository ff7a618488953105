import { formatTimestamp } from '@ariftly/events'

/** RFC 3339, or null. */
export function timeOf(ms: number | null): string | null {
  return ms === null ? null : formatTimestamp(ms)
}
