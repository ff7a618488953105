import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '@ariftly/http'

const PREFIX = 'ce-'
const VERSION = 'ce-specversion'

/**
 * The attributes of a binary CloudEvent, decoded; undefined when no header is one (HTTP protocol binding 1.0.2, 3.1).
 * @throws Problem 422 for `ce-` headers without `ce-specversion`, which marks a CloudEvent.
 */
export function cloudEventAttributes(headers: IncomingHttpHeaders): ReadonlyMap<string, string> | undefined {
  let attributes: Map<string, string> | undefined
  for (const name in headers) {
    if (!name.startsWith(PREFIX)) continue
    attributes ??= new Map()
    attributes.set(name.slice(PREFIX.length), decodeValue(String(headers[name])))
  }
  if (attributes === undefined || headers[VERSION] !== undefined) return attributes
  throw new Problem(422, 'invalid_events', {
    detail: 'The event is not valid.',
    errors: [{ parameter: VERSION, code: 'required', message: 'is required with other ce- headers' }],
  })
}

/** 3.1.3.2: unquotes a quoted string, then decodes percent-encoded UTF-8; bytes that are no UTF-8 become U+FFFD. */
function decodeValue(value: string): string {
  const quoted = /^"((?:[^"\\]|\\.)*)"$/.exec(value)?.[1]
  const text = quoted === undefined ? value : quoted.replaceAll(/\\(.)/g, '$1')
  return text.replaceAll(/(?:%[0-9A-Fa-f]{2})+/g, (run) => Buffer.from(run.replaceAll('%', ''), 'hex').toString('utf8'))
}
