import type { IncomingHttpHeaders } from 'node:http'
import { isJsonContentType } from '@ariftly/events'
import { isUtf8Type, mediaTypeOf, Problem, unsupportedMediaType } from '@ariftly/http'
import { cloudEventAttributes } from './cloud-event-headers.ts'

/** The form of a body: our own JSON, or one of the three modes of CloudEvents over HTTP. */
type Form =
  | { readonly kind: 'json' | 'ndjson' | 'structured' | 'batched' }
  | { readonly kind: 'binary'; readonly attributes: ReadonlyMap<string, string> }

/** How a body is written and compressed. */
export type Content = Form & { readonly encoding: 'identity' | 'gzip' | 'deflate' | 'br' }

const KINDS: Readonly<Record<string, 'json' | 'ndjson' | 'structured' | 'batched'>> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/cloudevents+json': 'structured',
  'application/cloudevents-batch+json': 'batched',
}
const TAKEN = Object.keys(KINDS)
  .filter((type) => type !== 'application/ndjson')
  .join(', ')

/**
 * What the headers say about the body. A structured CloudEvent is known by its content type, a binary one by `ce-specversion`.
 * @throws Problem 415 for a type or encoding that is not taken; 422 for `ce-` headers without `ce-specversion`.
 */
export function readContent(headers: IncomingHttpHeaders): Content {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = headers
  return { ...formOf(type, headers), encoding: encodingOf(encoding.trim().toLowerCase()) }
}

/** Makes a {@link readContent} for requests whose only header about the body is `Content-Type`. It remembers the last type, as clients repeat theirs. */
export function createPlainContentReader(): (type: string | undefined) => Content {
  let lastType: string | undefined
  let last: Content | undefined

  return function readPlainContent(type) {
    if (last !== undefined && type === lastType) return last
    const content = readContent(type === undefined ? {} : { 'content-type': type })
    lastType = type
    last = content
    return content
  }
}

function formOf(type: string, headers: IncomingHttpHeaders): Form {
  const kind = type === 'application/json' ? 'json' : kindOf(type)
  if (kind === 'structured' || kind === 'batched') return { kind }
  const attributes = cloudEventAttributes(headers)
  if (attributes !== undefined) {
    if (type === '' || isJsonContentType(type)) return { kind: 'binary', attributes }
    throw unsupported(type, 'the data of a CloudEvent as application/json in UTF-8')
  }
  if (kind === undefined)
    throw unsupported(type, 'application/json or application/x-ndjson in UTF-8, or CloudEvents in JSON')
  return { kind }
}

function kindOf(type: string): (typeof KINDS)[string] | undefined {
  const name = mediaTypeOf(type)
  return isUtf8Type(type) && Object.hasOwn(KINDS, name) ? KINDS[name] : undefined
}

function unsupported(came: string, send: string): Problem {
  return unsupportedMediaType(came, send, { 'Accept-Post': TAKEN })
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
        detail: 'Send the body without Content-Encoding, or with gzip, deflate or br.',
        headers: { 'Accept-Encoding': 'gzip, deflate, br' },
      })
  }
}
