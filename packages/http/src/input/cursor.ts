import type { Keyring } from '@ariftly/keyring'
import { Problem } from '../answers/problem.ts'

/** What a cursor is bound to: tenant, filters, order. Members that are undefined do not count. */
type CursorBound = Readonly<Record<string, unknown>>

/** Makes and reads cursors: sealed, so that a position can be neither read nor forged, and bound to their list. */
export interface CursorCodec {
  /** `kind` is the list (`events`), `position` the list's own position of the next page. */
  encode(kind: string, bound: CursorBound, position: string): string
  /** The position; throws a {@link Problem} 400 for a cursor that is forged, or of another list, tenant, filter or order. */
  decode(kind: string, bound: CursorBound, cursor: string): string
}

/** Creates the codec over ENCRYPTION_KEYS. */
export function createCursorCodec(keyring: Pick<Keyring, 'seal' | 'open'>): CursorCodec {
  function encode(kind: string, bound: CursorBound, position: string): string {
    return keyring.seal(Buffer.from(position, 'utf8'), aadOf(kind, bound)).toString('base64url')
  }

  function decode(kind: string, bound: CursorBound, cursor: string): string {
    const shaped = cursor.length <= 2048 && /^[A-Za-z0-9_-]+$/.test(cursor)
    const position = shaped ? keyring.open(Buffer.from(cursor, 'base64url'), aadOf(kind, bound)) : undefined
    if (position === undefined) throw badCursor()
    return position.toString('utf8')
  }

  return { encode, decode }
}

function aadOf(kind: string, bound: CursorBound): string {
  const members = Object.entries(bound)
    .filter(([, value]) => value !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `cursor:${kind}:${JSON.stringify(members)}`
}

function badCursor(): Problem {
  const message = 'is not a cursor of this list with these filters and this order'
  return new Problem(400, 'invalid_cursor', {
    detail: 'The cursor cannot be used here: pass `next_cursor` of the page before, with the same parameters.',
    errors: [{ parameter: 'cursor', code: 'invalid_cursor', message }],
  })
}
