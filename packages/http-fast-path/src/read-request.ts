/** A complete POST to the route of the fast path. */
export interface FastPost {
  /** By lower-case name, in the characters that were sent; none was sent twice. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

/**
 * The bytes of a connection: one complete post (`whole`), the start of one with an incomplete body (`partial`), or anything
 * else (`other`), which is no error but left to `node:http`.
 */
export type ReadRequest =
  { readonly type: 'whole'; readonly post: FastPost } | { readonly type: 'partial' } | { readonly type: 'other' }

const OTHER: ReadRequest = { type: 'other' }
const PARTIAL: ReadRequest = { type: 'partial' }

const HEAD_BYTES_MAX = 8 * 1024
/** Head and body. */
const REQUEST_BYTES_MAX = 64 * 1024

/**
 * Accepts only unambiguous heads (RFC 9112): HTTP/1.1, lines that end in CRLF, names that are tokens directly before the colon, at most one space before a
 * value of visible ASCII with spaces or tabs inside.
 */
const HEAD = /^POST [!-~]+ HTTP\/1\.1\r\n(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+: ?(?:[!-~](?:[ \t!-~]*[!-~])?)?\r\n)+$/

/** Headers that change how a request is read or answered. A request with one of them is not for the fast path. */
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

interface Head {
  /** Including the empty line after it. */
  readonly bytes: Buffer
  readonly headers: Readonly<Record<string, string>>
  readonly contentLength: number
}

/** Creates a reader of POSTs to one path. Create one for each connection: it remembers the last head, as clients repeat theirs. */
export function createRequestReader(path: string): (bytes: Buffer) => ReadRequest {
  const start = Buffer.from(`POST ${path} HTTP/1.1\r\n`)
  let head: Head | undefined

  return function readRequest(bytes) {
    if (head === undefined || !startsWith(bytes, head.bytes)) head = findHead(bytes, start)
    if (head === undefined) return OTHER
    const bodyAt = head.bytes.length
    const length = bodyAt + head.contentLength
    if (length > REQUEST_BYTES_MAX || bytes.length > length) return OTHER
    if (bytes.length < length) return PARTIAL
    return { type: 'whole', post: { headers: head.headers, body: bytes.subarray(bodyAt) } }
  }
}

function startsWith(bytes: Buffer, start: Buffer): boolean {
  return bytes.length >= start.length && bytes.compare(start, 0, start.length, 0, start.length) === 0
}

function findHead(bytes: Buffer, start: Buffer): Head | undefined {
  if (!startsWith(bytes, start)) return undefined
  const end = bytes.indexOf('\r\n\r\n', start.length - 2, 'latin1')
  if (end < 0 || end > HEAD_BYTES_MAX) return undefined
  const read = readHead(bytes.toString('latin1', 0, end + 2), start.length)
  // A copy, which keeps no body in memory.
  return read === undefined ? undefined : { ...read, bytes: Buffer.from(bytes.subarray(0, end + 4)) }
}

/** Undefined if anything about it is unusual or wrong; `node:http` then decides. */
function readHead(text: string, linesAt: number): Omit<Head, 'bytes'> | undefined {
  if (!HEAD.test(text)) return undefined
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (let at = linesAt; at < text.length;) {
    const lineEnd = text.indexOf('\r\n', at)
    const colon = text.indexOf(':', at)
    const name = text.slice(at, colon).toLowerCase()
    // The headers of a CloudEvent are part of the event.
    if (UNUSUAL.has(name) || name.startsWith('ce-') || name in headers) return undefined
    headers[name] = text.slice(text.charCodeAt(colon + 1) === 0x20 ? colon + 2 : colon + 1, lineEnd)
    at = lineEnd + 2
  }
  // `keep-alive` is the default of HTTP/1.1; most clients send it all the same.
  if ((headers['connection'] ?? 'keep-alive').toLowerCase() !== 'keep-alive') return undefined
  const length = headers['content-length']
  if (length === undefined || !/^[0-9]{1,6}$/.test(length) || headers['host'] === undefined) return undefined
  return { headers, contentLength: Number(length) }
}
