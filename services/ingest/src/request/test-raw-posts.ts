import { KEYS } from './test-raw-http.ts'

/** The body of one event of a task. */
export function eventBody(taskId: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({ type: 'task.created', task_id: taskId, data: { title: 'x' }, ...more })
}

/** A post as text. By default with the free key, and with a request id so that responses can be compared. */
export function post(
  body: string,
  headers: readonly string[] = [],
  o: { readonly key?: string | undefined; readonly first?: string } = {},
): string {
  const key = 'key' in o ? o.key : KEYS.free
  const head = [
    o.first ?? 'POST /v1/events HTTP/1.1',
    'Host: x',
    ...(key === undefined ? [] : [`Authorization: Bearer ${key}`]),
    'Content-Type: application/json',
    ...headers,
  ]
  return `${head.join('\r\n')}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

/** Bytes for one connection, in pieces, and how many requests they are meant to be. */
export interface RawPosts {
  readonly pieces: readonly Buffer[]
  readonly requests: number
}

type Random = () => number

/**
 * Draws one to four requests for one connection, most of them posts that the fast path takes, the others odd in one or more ways: first lines, headers, line
 * ends, lengths, bodies, single bytes. They are cut into pieces anywhere, and in a third of the cases end at any byte.
 */
export function createRawPosts(random: Random, taskId: string): RawPosts {
  const requests = 1 + Math.floor(random() * 4)
  const texts = Array.from({ length: requests }, () => drawRequest(random, taskId))
  const bytes = Buffer.concat(texts)
  const end = random() < 1 / 3 ? Math.floor(random() * bytes.length) : bytes.length
  const cuts = new Set<number>()
  // Clients send complete requests in one piece.
  let at = 0
  for (const text of texts) if ((at += text.length) < end && random() < 0.8) cuts.add(at)
  for (let count = Math.floor(random() * 3); count > 0; count -= 1) cuts.add(Math.floor(random() * end))
  const marks = [0, ...[...cuts].toSorted((a, b) => a - b), end]
  const pieces = marks.slice(1).map((mark, index) => bytes.subarray(marks[index], mark))
  return { pieces: pieces.filter((piece) => piece.length > 0), requests }
}

function drawRequest(random: Random, taskId: string): Buffer {
  // A request that is not read ends the script, or at least the fast path.
  if (random() < 0.6) return Buffer.from(post(eventBody(taskId, { agent: pick(random, ['a', 'b', 'down', 'large']) })))
  const body = drawBody(random, taskId)
  const lines = [
    'Host: x',
    `Authorization: Bearer ${pick(random, [KEYS.free, KEYS.free, KEYS.free, KEYS.empty, KEYS.reader, 'ak_none'])}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
  ]
  let first = 'POST /v1/events HTTP/1.1'
  if (random() < 0.5) lines.push('X-Request-Id: r1')
  if (random() < 0.2) first = pick(random, FIRST_LINES)
  for (let count = random() < 0.4 ? 1 + Math.floor(random() * 2) : 0; count > 0; count -= 1) {
    const odd = pick(random, ODD_LINES)
    if (random() < 0.5) lines.push(odd)
    else lines[Math.floor(random() * lines.length)] = odd
  }
  if (random() < 0.1) lines.splice(Math.floor(random() * lines.length), 1)
  if (random() < 0.2) lines.push(pick(random, lines))
  const ordered = lines.map((line) => ({ line, order: random() })).toSorted((a, b) => a.order - b.order)
  let head = `${[first, ...ordered.map(({ line }) => line)].join('\r\n')}\r\n\r\n`
  if (random() < 0.1) head = changeOneByte(random, head)
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

function drawBody(random: Random, taskId: string): Buffer {
  const event = eventBody(taskId, { agent: pick(random, ['a', 'b', 'down', 'large']) })
  const body = pick<string | (() => string)>(random, [
    event,
    event,
    event,
    event,
    `[${event},${eventBody(taskId)}]`,
    `${event}\n${eventBody(taskId)}\n`,
    eventBody(taskId, { data: { text: 'tüö€😀' } }),
    eventBody(taskId, { type: 'none' }),
    () => eventBody(taskId, { data: { text: 'y'.repeat(Math.floor(random() * 70_000)) } }),
    `${event}x`,
    '[]',
    '{"a":',
    'null',
    '',
    '\uFEFF{}',
    '{"\u0000":1}',
  ])
  return Buffer.from(typeof body === 'string' ? body : body())
}

function changeOneByte(random: Random, head: string): string {
  const at = Math.floor(random() * head.length)
  const byte = String.fromCharCode(Math.floor(random() * 256))
  return pick(random, [
    head.slice(0, at) + byte + head.slice(at + 1),
    head.slice(0, at) + byte + head.slice(at),
    head.slice(0, at) + head.slice(at + 1),
  ])
}

function pick<T>(random: Random, values: readonly T[]): T {
  return values[Math.floor(random() * values.length)] as T
}

const FIRST_LINES: readonly string[] = [
  'POST /v1/events HTTP/1.0',
  'POST /v1/events HTTP/1.2',
  'POST /v1/events HTTP/2.0',
  'POST /v1/events',
  'POST  /v1/events HTTP/1.1',
  'POST /v1/events  HTTP/1.1',
  'post /v1/events HTTP/1.1',
  'PUT /v1/events HTTP/1.1',
  'GET /v1/events HTTP/1.1',
  'HEAD /v1/events HTTP/1.1',
  'OPTIONS /v1/events HTTP/1.1',
  'OPTIONS * HTTP/1.1',
  'POST /v1/events? HTTP/1.1',
  'POST /v1/events?a=1 HTTP/1.1',
  'POST /v1/events/ HTTP/1.1',
  'POST //v1/events HTTP/1.1',
  'POST /v1/Events HTTP/1.1',
  'POST /v1/%65vents HTTP/1.1',
  'POST /v1/events#a HTTP/1.1',
  'POST http://x/v1/events HTTP/1.1',
  'POST HTTPS://x:1/v1/events HTTP/1.1',
  'POST http://x/v1/events?a=1 HTTP/1.1',
  'POST http://x?a=1 HTTP/1.1',
  'POST http:///v1/events HTTP/1.1',
  'POST ftp://x/v1/events HTTP/1.1',
  'POST \u00ff HTTP/1.1',
  '\r\nPOST /v1/events HTTP/1.1',
]

const ODD_LINES: readonly string[] = [
  'Connection: keep-alive',
  'connection:Keep-Alive',
  'Connection: close',
  'Connection: keep-alive, close',
  'Connection: upgrade',
  'Connection:',
  'Keep-Alive: timeout=5',
  'Proxy-Connection: close',
  'Upgrade: websocket',
  'Upgrade: h2c',
  'HTTP2-Settings: AAAA',
  'Expect: 100-continue',
  'Expect: none',
  'TE: trailers',
  'Trailer: X-A',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding : chunked',
  'Content-Encoding: identity',
  'Content-Encoding: br2',
  'Content-Encoding:',
  'Content-Type: application/x-ndjson',
  'Content-Type: application/json; charset=utf-8',
  'Content-Type: application/json;charset=latin1',
  `Content-Type: application/json${' '.repeat(2000)}x`,
  'Content-Type: text/plain',
  'Content-Type:',
  'content-type: application/cloudevents+json',
  'Content-Length: 0',
  'Content-Length: 5',
  'Content-Length: 100',
  'Content-Length: 60000',
  'Content-Length: 70000',
  'Content-Length: 9999999',
  'Content-Length: -1',
  'Content-Length: +5',
  'Content-Length: 5 5',
  'Content-Length: 5, 5',
  'Content-Length: 0x5',
  'Content-Length: 00000000000000000005',
  'Content-Length: 99999999999999999999999',
  'Content-Length:',
  'Content_Length: 5',
  'Host: y',
  'Host:',
  'Origin: https://a.example',
  'Origin: https://b.example',
  'Access-Control-Request-Method: POST',
  'ce-specversion: 1.0',
  'ce-id: 1',
  'X-Request-Id: a b',
  'X-Request-Id: "',
  'X-Request-Id:',
  `X-Request-Id: ${'a'.repeat(129)}`,
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  'traceparent: ff',
  'Authorization: Basic YTpi',
  'Authorization: bearer x',
  'Authorization:',
  'Cookie: a=1; b=2',
  'Forwarded: for=1.2.3.4',
  'X-A: a\tb',
  'X-A:\ta',
  'X-A: a ',
  'X-A:  a',
  'X-A: \u00e4',
  'X-A: \u0000',
  'X-A: \u007f',
  'X-A: 1\r\n 2',
  'X-A: 1\n',
  'X-A: 1\rX-B: 2',
  'X-A',
  ': x',
  ' X-A: 1',
  'X A: 1',
  'X-A : 1',
  'X(A: 1',
  '__proto__: x',
  'constructor: x',
  'toString: x',
  `X-A: ${'a'.repeat(4000)}`,
  `X-A: ${'a'.repeat(9000)}`,
  `X-A: ${'a'.repeat(17_000)}`,
]
