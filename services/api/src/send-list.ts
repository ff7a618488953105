import type { ServerResponse } from 'node:http'

const HEAD = Buffer.from('{"object":"list","data":[')
const COMMA = Buffer.from(',')

/**
 * Answers 200 with a list (design 5) of entries that are JSON already; their bytes are sent as they are. One copy into one
 * buffer: a hundred small pieces cost more in the call that writes them than everything else that a page takes here.
 * `nextCursor` is null when this was the last page.
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

/** The first `limit` of rows of which one more was asked for. `last` is the page's last row; undefined when none follows it. */
export function cutPage<T>(
  rows: readonly T[],
  limit: number,
): { readonly page: readonly T[]; readonly last: T | undefined } {
  const page = rows.slice(0, limit)
  return { page, last: rows.length > limit ? page.at(-1) : undefined }
}
