import type { ServerResponse } from 'node:http'
import { cursorParam, limitParam, type CursorCodec } from '@ariftly/http'
import type { Pool } from '@ariftly/store'

const HEAD = Buffer.from('{"object":"list","data":[')
const COMMA = Buffer.from(',')

/**
 * Answers 200 with a list of entries that are JSON already. Copies them into one buffer: writing a hundred small pieces costs
 * more than everything else that a page takes here. `nextCursor` is null on the last page.
 */
export function sendList(res: ServerResponse, entries: readonly Buffer[], nextCursor: string | null): void {
  const body = renderList(entries, nextCursor)
  res.statusCode = 200
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.setHeader('Content-Length', body.length)
  res.end(body)
}

/** The bytes of a list. */
export function renderList(entries: readonly Buffer[], nextCursor: string | null): Buffer {
  const tail = Buffer.from(
    `],"has_more":${String(nextCursor !== null)},"next_cursor":${nextCursor === null ? 'null' : `"${nextCursor}"`}}`,
  )
  const parts = entries.flatMap((entry, index) => (index === 0 ? [entry] : [COMMA, entry]))
  return Buffer.concat([HEAD, ...parts, tail])
}

/** The same of entries that are not JSON yet. */
export function sendObjects(res: ServerResponse, entries: readonly object[], nextCursor: string | null): void {
  sendList(
    res,
    entries.map((entry) => Buffer.from(JSON.stringify(entry))),
    nextCursor,
  )
}

/** Dependencies of a list's handler. */
export interface ListDeps {
  readonly pool: Pool
  readonly cursors: CursorCodec
}

/** The parameters of a page. */
export const pageParams = { limit: limitParam(), cursor: cursorParam() }

/** A page that is asked for, and the list that it is of. */
export interface ListPage<R> {
  readonly cursors: CursorCodec
  /** Names the list in its cursors. */
  readonly name: string
  /** What a cursor is bound to: the tenant and the filter. */
  readonly bound: Readonly<Record<string, unknown>>
  readonly query: { readonly limit: number; readonly cursor: string | undefined }
  /** Reads `limit` rows after the cursor, the last row of the previous page. */
  readonly read: (page: { readonly limit: number; readonly cursorId?: string }) => Promise<readonly R[]>
  readonly render: (row: R) => object
  /** The position of a row in the list, as text. */
  readonly placeOf: (row: R) => string
}

/** Answers with a page of a list: one row more than it has is read, to know whether another page follows. */
export async function sendPage<R>(res: ServerResponse, o: ListPage<R>): Promise<void> {
  const { limit, cursor } = o.query
  const from = cursor === undefined ? {} : { cursorId: o.cursors.decode(o.name, o.bound, cursor) }
  const rows = await o.read({ limit: limit + 1, ...from })
  const page = rows.slice(0, limit)
  const last = rows.length > limit ? page.at(-1) : undefined
  sendObjects(res, page.map(o.render), last === undefined ? null : o.cursors.encode(o.name, o.bound, o.placeOf(last)))
}

/** The place of rows that a list orders by id. */
export function byId(row: { readonly id: string }): string {
  return row.id
}
