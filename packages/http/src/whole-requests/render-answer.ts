import { STATUS_CODES } from 'node:http'
import type { WholeAnswer } from '@ariftly/runtime'

/** An answer as it goes over the wire, and how its characters are to be written. */
export interface RenderedAnswer {
  readonly text: string
  readonly encoding: 'latin1' | 'utf8'
}

/** Renders an answer with the headers that `node:http` would add, in the form in which it would write them. */
export function renderAnswer(
  { status, headers, body }: WholeAnswer,
  o: { readonly keepAliveS: number; readonly close: boolean },
): RenderedAnswer {
  let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`
  for (const name in headers) head += `${name}: ${headers[name]}\r\n`
  const bytes = Buffer.byteLength(body)
  const connection = o.close ? 'close' : `keep-alive\r\nKeep-Alive: timeout=${o.keepAliveS}`
  const text = `${head}Content-Length: ${bytes}\r\nDate: ${httpDate()}\r\nConnection: ${connection}\r\n\r\n${body}`
  // Headers are ASCII; a body that has as many bytes as characters is too.
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
