import { typeIdToUuid } from '@ariftly/events'

/** Ids from `low` (inclusive) to `high` (exclusive), as UUID text. */
export interface IdBounds {
  readonly low: string
  readonly high: string
}

/** Where a page begins and ends in time, and the last id of the page before it. */
export interface IdWindow {
  readonly order: 'asc' | 'desc'
  /** Exclusive: whole milliseconds above this. A moment finer than a millisecond is rounded down. */
  readonly afterMs?: number
  /** Exclusive: whole milliseconds below this. A moment finer than a millisecond is rounded up. */
  readonly beforeMs?: number
  /** Last id of the page before. */
  readonly cursorId?: string
}

const MS_MAX = 2 ** 48 - 1
const LOWEST = '00000000-0000-0000-0000-000000000000'
/** Above every UUIDv7 of the last millisecond: the version nibble is 7, so `f` is never reached. */
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** The range of ids of a page. An id's time is a whole millisecond, so the first one after `afterMs` is the next. */
export function idBounds(prefix: string, o: IdWindow): IdBounds {
  const low = o.afterMs === undefined ? LOWEST : uuidFloor(o.afterMs + 1)
  const high = o.beforeMs === undefined ? HIGHEST : uuidFloor(o.beforeMs)
  if (o.cursorId === undefined) return { low, high }
  const cursor = typeIdToUuid(prefix, o.cursorId)
  // Text of equal length in lower-case hex sorts as the bytes do.
  if (o.order === 'desc') return { low, high: cursor < high ? cursor : high }
  const next = successor(cursor)
  return { low: next > low ? next : low, high }
}

/** The smallest UUID that an id with this millisecond can have; moments outside of 48 bits are cut off. */
function uuidFloor(ms: number): string {
  if (ms < 0) return LOWEST
  if (ms > MS_MAX) return HIGHEST
  const hex = ms.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}

function successor(uuid: string): string {
  const value = BigInt(`0x${uuid.replaceAll('-', '')}`) + 1n
  const hex = value.toString(16).padStart(32, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}
