import type { IncomingHttpHeaders } from 'node:http'
import { Problem } from '@ariftly/http'

/** How a body is written and packed. */
export interface Content {
  readonly kind: 'json' | 'ndjson'
  readonly encoding: 'identity' | 'gzip' | 'deflate' | 'br'
}

const TYPE =
  /^\s*(application\/json|application\/x-ndjson|application\/ndjson)\s*(?:;\s*charset\s*=\s*"?utf-8"?\s*)?;?\s*$/i

/** What the headers say about the body; a Problem 415 for a type or encoding that is not taken. */
export function readContent(headers: IncomingHttpHeaders): Content {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
  return { kind: kindOf(type), encoding: encodingOf(encoding.trim().toLowerCase()) }
}

function kindOf(type: string): Content['kind'] {
  if (type === 'application/json') return 'json'
  const name = TYPE.exec(type)?.[1]?.toLowerCase()
  if (name === undefined) {
    throw new Problem(415, 'unsupported_media_type', {
      detail: 'Send events as application/json or application/x-ndjson in UTF-8.',
      headers: { 'Accept-Post': 'application/json, application/x-ndjson' },
    })
  }
  return name === 'application/json' ? 'json' : 'ndjson'
}

function encodingOf(encoding: string): Content['encoding'] {
  switch (encoding) {
    case '':
    case 'identity':
      return 'identity'
    case 'x-gzip':
      return 'gzip'
    case 'gzip':
    case 'deflate':
    case 'br':
      return encoding
    default:
      throw new Problem(415, 'unsupported_encoding', {
        detail: 'Send the body as it is, or with Content-Encoding gzip, deflate or br.',
        headers: { 'Accept-Encoding': 'gzip, deflate, br' },
      })
  }
}
