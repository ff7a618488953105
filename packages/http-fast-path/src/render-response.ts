import { STATUS_CODES } from 'node:http'
import type { FastResponse } from './fast-path-service.ts'

/** The text of a response, and the encoding of its characters. */
export interface RenderedResponse {
  readonly text: string
  readonly encoding: 'latin1' | 'utf8'
}

/** Renders a response with the headers of its call, its own, and the ones that `node:http` would add (RFC 9112). */
export function renderResponse(
  { status, headers, body }: FastResponse,
  ofCall: Readonly<Record<string, string>>,
  o: { readonly keepAliveS: number; readonly close: boolean },
): RenderedResponse {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (const name in ofCall) head += `${name}: ${ofCall[name]}\r\n`
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`
  const bytes = Buffer.byteLength(body)
  const connection = o.close ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${o.keepAliveS}`
  const text = `${head}Content-Length: ${bytes}\r\nDate: ${httpDate()}\r\nConnection: ${connection}\r\n\r\n${body}`
  // A body with as many bytes as UTF-16 units is ASCII.
  return { text, encoding: bytes === body.length ? 'latin1' : 'utf8' }
}

let dateS = 0
let dateText = ''

/** The Date header (RFC 9110, section 6.6.1), made once a second. */
function httpDate(): string {
  const nowMs = Date.now()
  const nowS = Math.floor(nowMs / 1000)
  if (nowS !== dateS) {
    dateS = nowS
    dateText = new Date(nowMs).toUTCString()
  }
  return dateText
}
