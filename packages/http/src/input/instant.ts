import { parseTimestamp } from '@ariftly/events'

/** A moment that may be finer than a millisecond, as the milliseconds around it; both are equal when it is on one. */
export interface Instant {
  /** A whole millisecond `m` is after the moment when `m > floorMs`. */
  readonly floorMs: number
  /** A whole millisecond `m` is before the moment when `m < ceilMs`. */
  readonly ceilMs: number
}

/**
 * Reads an ISO 8601 date and time of a query, as `parseTimestamp` does, and accepts a space for the offset's `+`, as a query
 * string decodes a plus sign to a space. `undefined` for anything else.
 */
export function parseInstant(text: string): Instant | undefined {
  const timestamp = parseTimestamp(text.replace(/(:\d\d(?:[.,]\d+)?) (\d\d(?::?\d\d)?)$/, '$1+$2'))
  if (timestamp === undefined) return undefined
  return { floorMs: timestamp.ms, ceilMs: timestamp.finer ? timestamp.ms + 1 : timestamp.ms }
}
