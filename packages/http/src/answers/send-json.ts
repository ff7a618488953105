import type { ServerResponse } from 'node:http'

/** Answers with JSON: an object, or bytes that are JSON already. */
export function sendJson(
  res: ServerResponse,
  status: number,
  body: Buffer | object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value)
  res.setHeader('Content-Type', 'application/json; charset=utf-8')
  res.setHeader('Content-Length', bytes.length)
  res.statusCode = status
  res.end(bytes)
}
