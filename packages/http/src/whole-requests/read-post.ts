import type { WholePost } from '@ariftly/runtime'

/**
 * What a read of a connection holds: a whole POST and nothing behind it; the beginning of one whose body is not all here yet; or anything else, which
 * is no error but something to be read by `node:http`.
 */
export type ReadPost =
  { readonly type: 'whole'; readonly post: WholePost } | { readonly type: 'begun' } | { readonly type: 'other' }

const OTHER: ReadPost = { type: 'other' }
const BEGUN: ReadPost = { type: 'begun' }

/** A head is at most so long, and a request that is waited for; longer ones are for `node:http`. */
const HEAD_BYTES_MAX = 8 * 1024
const WHOLE_BYTES_MAX = 64 * 1024

/**
 * A head of which no two readers could think differently (RFC 9112): HTTP/1.1, lines that end in CRLF, names that are tokens with the colon right behind,
 * one space at the most before a value of visible characters and single spaces or tabs within.
 */
const HEAD = /^POST [!-~]+ HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: ?(?:[!-~](?:[ \t!-~]*[!-~])?)?\r\n)+$/

/** What a head says. */
interface Head {
  readonly authorization: string | undefined
  readonly contentType: string | undefined
  readonly requestId: string | undefined
  readonly traceparent: string | undefined
  readonly contentLength: number
}

/** Headers that change how a request is read or answered: with one of them it is not for the short way. */
const UNUSUAL: ReadonlySet<string> = new Set([
  'transfer-encoding',
  'content-encoding',
  'proxy-connection',
  'keep-alive',
  'expect',
  'upgrade',
  'http2-settings',
  'te',
  'trailer',
  'origin',
  'access-control-request-method',
])

/** Makes a reader of POSTs to one path; one for each connection, as it remembers the head that came last: clients repeat themselves. */
export function createPostReader(path: string): (bytes: Buffer) => ReadPost {
  const start = Buffer.from(`POST ${path} HTTP/1.1\r\n`)
  let lastText = ''
  let lastHead: Head | undefined

  return function readPost(bytes) {
    if (bytes.length < start.length || bytes.compare(start, 0, start.length, 0, start.length) !== 0) return OTHER
    const end = bytes.indexOf('\r\n\r\n', start.length - 2, 'latin1')
    if (end < 0 || end > HEAD_BYTES_MAX) return OTHER
    const text = bytes.toString('latin1', 0, end + 2)
    if (text !== lastText) {
      lastHead = readHead(text, start.length)
      lastText = text
    }
    if (lastHead === undefined) return OTHER
    const bodyAt = end + 4
    const length = bodyAt + lastHead.contentLength
    if (length > WHOLE_BYTES_MAX || bytes.length > length) return OTHER
    if (bytes.length < length) return BEGUN
    const { authorization, contentType, requestId, traceparent } = lastHead
    return {
      type: 'whole',
      post: { authorization, contentType, requestId, traceparent, body: bytes.subarray(bodyAt) },
    }
  }
}

/** Undefined if there is anything unusual about it, a fault included: `node:http` then says what is to be said. */
function readHead(text: string, linesAt: number): Head | undefined {
  if (!HEAD.test(text)) return undefined
  const found = new Map<string, string>()
  for (let at = linesAt; at < text.length;) {
    const lineEnd = text.indexOf('\r\n', at)
    const colon = text.indexOf(':', at)
    const name = text.slice(at, colon).toLowerCase()
    // The headers of a CloudEvent are part of the event.
    if (UNUSUAL.has(name) || name.startsWith('ce-') || found.has(name)) return undefined
    found.set(name, text.slice(text.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1, lineEnd))
    at = lineEnd + 2
  }
  // What HTTP/1.1 means without it too, and most clients say all the same.
  if ((found.get('connection') ?? 'keep-alive').toLowerCase() !== 'keep-alive') return undefined
  const length = found.get('content-length')
  if (length === undefined || !/^[0-9]{1,6}$/.test(length) || !found.has('host')) return undefined
  return {
    authorization: found.get('authorization'),
    contentType: found.get('content-type'),
    requestId: found.get('x-request-id'),
    traceparent: found.get('traceparent'),
    contentLength: Number(length),
  }
}
