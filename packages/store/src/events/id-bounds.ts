import { typeIdToUuid, type Timestamp } from '@ariftly/events'

/** Ids from `low` (inclusive) to `high` (exclusive), as UUID text. */
export interface IdBounds {
  readonly low: string
  readonly high: string
}

/** Where a page begins and ends in time, and the last id of the page before it. */
export interface IdWindow {
  readonly order: 'asc' | 'desc'
  /** Exclusive: events created after this moment. */
  readonly after?: Timestamp
  /** Exclusive: events created before this moment. */
  readonly before?: Timestamp
  /** Last event id of the page before. */
  readonly cursorId?: string
}

const MS_MAX = 2 ** 48 - 1
const LOWEST = '00000000-0000-0000-0000-000000000000'
/** Above every UUIDv7 of the last millisecond: the version nibble is 7, so `f` is never reached. */
const HIGHEST = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/**
 * The range of ids of a page. An id's time is a whole millisecond m, so "after t" means m >= floor(t) + 1, also when t is
 * finer than a millisecond, and "before t" means m < ceil(t).
 */
export function idBounds(o: IdWindow): IdBounds {
  const low = o.after === undefined ? LOWEST : uuidFloor(o.after.ms + 1)
  const high = o.before === undefined ? HIGHEST : uuidFloor(o.before.ms + (o.before.finer ? 1 : 0))
  if (o.cursorId === undefined) return { low, high }
  const cursor = typeIdToUuid('evt', o.cursorId)
  // Text of equal length in lower-case hex sorts as the bytes do.
  if (o.order === 'desc') return { low, high: cursor < high ? cursor : high }
  const next = successor(cursor)
  return { low: next > low ? next : low, high }
}

/** The smallest UUID that an id with this millisecond can have; moments outside of 48 bits are cut off. */
export function uuidFloor(ms: number): string {
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
