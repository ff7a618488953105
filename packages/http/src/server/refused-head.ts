import type { IncomingMessage } from 'node:http'
import { Problem } from '../answers/problem.ts'

/** The refusal of a head that `node:http` takes although RFC 9112 does not; undefined for any other. */
export function refusalOfHead({ httpVersion, rawHeaders }: IncomingMessage): Problem | undefined {
  // Section 2.3. The parser refuses other versions itself. HTTP/2 is not written as text.
  if (httpVersion !== '1.1' && httpVersion !== '1.0') return malformed('This is not HTTP/1.1 (RFC 9112).')
  // Section 3.2.
  const hosts = countHosts(rawHeaders)
  if (hosts > 1) return malformed('The request has more than one Host header (RFC 9112, section 3.2).')
  if (hosts === 0 && httpVersion === '1.1') return malformed('The request has no Host header (RFC 9112, section 3.2).')
  return undefined
}

/** `headers` keeps the first one only. Names and values alternate. */
function countHosts(rawHeaders: readonly string[]): number {
  let count = 0
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length === 4 && name.toLowerCase() === 'host') count += 1
  }
  return count
}

function malformed(detail: string): Problem {
  return new Problem(400, 'malformed_request', { detail })
}
