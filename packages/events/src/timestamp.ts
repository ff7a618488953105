/** A point in time; `finer` says that the text named a moment after the start of this millisecond. */
export interface Timestamp {
  readonly ms: number
  readonly finer: boolean
}

const ISO = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,18}))?)?(?:([Zz])|([+-])(\d\d):?(\d\d)?)?$/

/**
 * Reads an ISO 8601 date and time (RFC 3339 and its common relatives: `T` or a space, seconds optional, any fraction,
 * `Z`, `+hh:mm`, `+hhmm`, `+hh`; no offset means UTC). Undefined for anything else, a day or hour that does not exist
 * included. A leap second `:60` is refused.
 */
export function parseTimestamp(text: string): Timestamp | undefined {
  const match = ISO.exec(text)
  if (!match) return undefined
  const part = (index: number): number => Number(match[index] ?? '0')
  const [year, month, day, hour, minute, second] = [part(1), part(2), part(3), part(4), part(5), part(6)]
  const [offsetHour, offsetMinute] = [part(10), part(11)]
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  if (hour > 23 || minute > 59 || second > 59 || offsetHour > 23 || offsetMinute > 59) return undefined
  const fraction = (match[7] ?? '').padEnd(3, '0')
  const offsetMs = (match[9] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute) * 60_000
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second, Number(fraction.slice(0, 3)))
  return { ms: date.getTime() - offsetMs, finer: /[1-9]/.test(fraction.slice(3)) }
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
}

let lastMs = Number.NaN
let lastText = ''

/** RFC 3339 in UTC with milliseconds, as `created_at` and `ce_time` show it. The last answer is remembered: batches share it. */
export function formatTimestamp(ms: number): string {
  if (ms !== lastMs) {
    lastText = new Date(ms).toISOString()
    lastMs = ms
  }
  return lastText
}
