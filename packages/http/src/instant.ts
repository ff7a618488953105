/** A moment that may be finer than a millisecond, as the milliseconds around it; both are equal when it is on one. */
export interface Instant {
  /** A whole millisecond `m` is after the moment when `m > floorMs`. */
  readonly floorMs: number
  /** A whole millisecond `m` is before the moment when `m < ceilMs`. */
  readonly ceilMs: number
}

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,30}))?)?([Zz]|[+\- ]\d{2}(?::?\d{2})?)?$/

/**
 * Reads an ISO 8601 date and time (extended form). Seconds may be missing; no offset means UTC; a space where the offset's
 * `+` stood is read as `+`, as that is what a query string makes of it. `undefined` for anything else, also for a day that
 * the calendar does not have.
 */
export function parseInstant(text: string): Instant | undefined {
  const [, year, month, day, hour, minute, second = '00', fraction = '', offset = 'Z'] = FORM.exec(text) ?? []
  if (year === undefined || month === undefined || day === undefined || hour === undefined || minute === undefined) {
    return undefined
  }
  const wholeMs = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  const offsetMs = parseOffset(offset)
  if (Number.isNaN(wholeMs) || offsetMs === undefined || Number(hour) > 23) return undefined
  // Date.parse takes 30 February as 1 March.
  if (new Date(wholeMs).getUTCDate() !== Number(day)) return undefined
  const floorMs = wholeMs - offsetMs + Number(fraction.slice(0, 3).padEnd(3, '0'))
  return { floorMs, ceilMs: /[1-9]/.test(fraction.slice(3)) ? floorMs + 1 : floorMs }
}

function parseOffset(text: string): number | undefined {
  if (text === 'Z' || text === 'z') return 0
  const hours = Number(text.slice(1, 3))
  const minutes = Number(text.slice(3).replace(':', '') || '0')
  if (hours > 23 || minutes > 59) return undefined
  return (text.startsWith('-') ? -1 : 1) * (hours * 60 + minutes) * 60_000
}
