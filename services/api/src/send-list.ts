import type { ServerResponse } from 'node:http'

const HEAD = Buffer.from('{"object":"list","data":[')
const COMMA = Buffer.from(',')

/**
 * Answers 200 with a list (design 5) of entries that are JSON already; their bytes are sent as they are, without a copy.
 * `nextCursor` is null when this was the last page.
 */
export function sendList(res: ServerResponse, entries: readonly Buffer[], nextCursor: string | null): void {
  const tail = Buffer.from(
    `],"has_more":${String(nextCursor !== null)},"next_cursor":${nextCursor === null ? 'null' : `"${nextCursor}"`}}`,
  )
  const parts = [HEAD, ...entries.flatMap((entry, index) => (index === 0 ? [entry] : [COMMA, entry])), tail]
  res.statusCode = 200
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.setHeader(
    'Content-Length',
    parts.reduce((bytes, part) => bytes + part.length, 0),
  )
  res.cork()
  for (const part of parts) res.write(part)
  res.end()
}
