import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { byForm, createRandom, randomSeed } from '@ariftly/testkit'
import { KEYS, startRawServer, type RawScript, type RawServer } from './test-raw-http.ts'
import { createRawPosts, eventBody, post } from './test-raw-posts.ts'

let fast: RawServer
let plain: RawServer

beforeAll(async () => {
  fast = await startRawServer({ fastPath: true })
  plain = await startRawServer({ fastPath: false })
})

afterAll(async () => {
  await Promise.all([fast?.close(), plain?.close()])
})

/** What a server answered to a script and wrote to the log for its tasks. */
interface Outcome {
  readonly responses: readonly string[]
  readonly written: readonly string[]
}

/** An outcome, and whether the server closed the connection before the client did. */
interface Ended {
  readonly outcome: Outcome
  readonly isEndedByServer: boolean
}

const outcomeOf = async (server: RawServer, script: RawScript, taskId: string): Promise<Outcome> =>
  (await endOf(server, script, taskId)).outcome

async function endOf(server: RawServer, script: RawScript, taskId: string): Promise<Ended> {
  const { text, isEndedByServer } = await server.play(script)
  return { outcome: { responses: responsesOf(text), written: server.writtenFor(taskId) }, isEndedByServer }
}

/** The responses, with their headers in the order of their names, and without what differs each time. */
function responsesOf(text: string): readonly string[] {
  return text
    .split(/(?=HTTP\/1\.1 \d)/)
    .filter((response) => response !== '')
    .map((response) => {
      const [head = '', ...body] = response
        .replaceAll(/\r\nDate: [^\r]*/g, '')
        .replaceAll(/evt_[0-9a-z]{26}/g, 'evt_')
        .replaceAll(/req_[0-9a-f]{32}/g, 'req_')
        .split('\r\n\r\n')
      const [status = '', ...lines] = head.split('\r\n')
      return [status, ...lines.map((line) => line.toLowerCase()).toSorted(), ...body].join('\n')
    })
}

/** A task for each script, so that what it wrote is found. */
let tasks = 0
const newTask = (): string => `task_${(tasks += 1)}`

const ODD: readonly (readonly [name: string, request: (taskId: string) => string])[] = [
  ['a problem', (id) => post(eventBody(id, { type: 'none' }))],
  ['a refusal', (id) => post(eventBody(id), [], { key: KEYS.empty })],
  ['a key without the scope', (id) => post(eventBody(id), [], { key: KEYS.reader })],
  ['no key', (id) => post(eventBody(id), [], { key: undefined })],
  ['an event that the log does not take now', (id) => post(eventBody(id, { agent: 'down' }))],
  ['an event that the log never takes', (id) => post(eventBody(id, { agent: 'large' }))],
  ['an empty body', () => post('')],
  ['two requests in one write', (id) => post(eventBody(id)) + post(eventBody(id, { agent: 'b' }))],
  ['a complete one and the start of the next', (id) => post(eventBody(id)) + post(eventBody(id)).slice(0, 40)],
  ['the absolute form', (id) => post(eventBody(id), [], { first: 'POST http://other:1/v1/events HTTP/1.1' })],
  ['the absolute form without a path', (id) => post(eventBody(id), [], { first: 'POST http://other HTTP/1.1' })],
  ['another path', (id) => post(eventBody(id), [], { first: 'POST /v1/events/x HTTP/1.1' })],
  ['a query', (id) => post(eventBody(id), [], { first: 'POST /v1/events?task_id=x HTTP/1.1' })],
  ['another method', (id) => post(eventBody(id), [], { first: 'PUT /v1/events HTTP/1.1' })],
  ['CONNECT', (id) => post(eventBody(id), [], { first: 'CONNECT x:1 HTTP/1.1' })],
  ['no version', (id) => post(eventBody(id), [], { first: 'POST /v1/events' })],
  ['HTTP/1.0', (id) => post(eventBody(id), [], { first: 'POST /v1/events HTTP/1.0' })],
  ['an upgrade with keep-alive', (id) => post(eventBody(id), ['Connection: keep-alive, upgrade', 'Upgrade: x'])],
  ['Connection: close', (id) => post(eventBody(id), ['Connection: close'])],
  ['Expect', (id) => post(eventBody(id), ['Expect: 100-continue'])],
  ['an allowed origin', (id) => post(eventBody(id), ['Origin: https://a.example'])],
  ['a folded header', (id) => post(eventBody(id), ['X-A: 1\r\n 2'])],
  ['a space before the colon', (id) => post(eventBody(id), ['X-A : 1'])],
  ['a name that is no token', (id) => post(eventBody(id), ['X(A: 1'])],
  ['a bare line feed', (id) => post(eventBody(id), ['X-A: 1\nX-B: 2'])],
  ['a control character', (id) => post(eventBody(id), ['X-A: a\u0001b'])],
  ['a value that is not ASCII', (id) => post(eventBody(id), ['X-A: ä'])],
  ['an empty value', (id) => post(eventBody(id), ['X-A:'])],
  ['a tab before a value', (id) => post(eventBody(id), ['X-A:\t1'])],
  ['spaces around a value', (id) => post(eventBody(id), ['X-A:   a  '])],
  ['a header twice', (id) => post(eventBody(id), ['X-Request-Id: a', 'X-Request-Id: b'])],
  ['two keys', (id) => post(eventBody(id), ['Authorization: Bearer b'])],
  ['two hosts', (id) => post(eventBody(id), ['Host: y'])],
  ['no host', (id) => post(eventBody(id)).replace('Host: x\r\n', '')],
  ['two lengths', (id) => post(eventBody(id), ['Content-Length: 1'])],
  ['a length with a sign', (id) => post(eventBody(id)).replace('Content-Length: ', 'Content-Length: +')],
  ['a length in hex', (id) => post(eventBody(id)).replace('Content-Length: ', 'Content-Length: 0x')],
  ['a length with zeros before it', (id) => post(eventBody(id)).replace('Content-Length: ', 'Content-Length: 000')],
  ['a list of lengths', (id) => post(eventBody(id)).replace('Content-Length: ', 'Content-Length: 1, ')],
  ['no length', (id) => post(eventBody(id)).replace(/\r\nContent-Length: \d+/, '')],
  ['both lengths', (id) => `${post('0\r\n\r\n', ['Transfer-Encoding: chunked'])}${post(eventBody(id))}`],
  ['chunks', () => `POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`],
  ['a head of 9 KB', (id) => post(eventBody(id), [`X-A: ${'a'.repeat(9000)}`])],
  ['a head of 17 KB', (id) => post(eventBody(id), [`X-A: ${'a'.repeat(17_000)}`])],
  ['a body of 100 KB', (id) => post(eventBody(id, { data: { text: 'y'.repeat(100_000) } }))],
  [
    'headers of a CloudEvent',
    () => post('{}', ['ce-specversion: 1.0', 'ce-id: 1', 'ce-source: s', 'ce-type: task.created']),
  ],
  ['garbage', () => '\u0000\u0001\u0002\r\n\r\n'],
  ['nothing but a line', () => '\r\n'],
]

describe('the fast path', () => {
  test('reads plain posts, one after the other on one connection, and answers them as node:http would', async () => {
    const task = newTask()
    const pieces = [
      post(eventBody(task)),
      post(eventBody(task, { data: { text: 'tüö€😀' } })),
      post('{'),
      post(eventBody(task), [], { key: KEYS.empty }),
      post(eventBody(task), ['connection: Keep-Alive']),
    ].map((text) => Buffer.from(text))
    const before = { ...fast.posts }
    const script = { pieces, isPolite: true }
    const outcome = await outcomeOf(fast, script, task)
    expect(outcome).toEqual(await outcomeOf(plain, script, task))
    expect(outcome.responses.map((response) => response.slice(0, 12).trim())).toEqual([
      'HTTP/1.1 202',
      'HTTP/1.1 202',
      'HTTP/1.1 400',
      'HTTP/1.1 429',
      'HTTP/1.1 202',
    ])
    expect(fast.posts).toEqual({ fast: before.fast + 5, http: before.http })
    expect(plain.posts.fast).toBe(0)
  })

  test('reads a post whose body arrives in pieces', async () => {
    const task = newTask()
    const request = Buffer.from(post(eventBody(task)))
    const before = fast.posts.fast
    const script = { pieces: [request.subarray(0, -5), request.subarray(-5)] }
    expect((await outcomeOf(fast, script, task)).responses[0]).toMatch(/^HTTP\/1.1 202/)
    expect(fast.posts.fast).toBe(before + 1)
  })

  test('refuses a body for which there is no memory, as node:http does', async () => {
    const task = newTask()
    const script = { pieces: [Buffer.from(post(eventBody(task, { data: { text: 'y'.repeat(10_000) } })))] }
    const small = await Promise.all(
      [true, false].map((fastPath) => startRawServer({ fastPath, memoryBytes: 24 * 1024 })),
    )
    const [one, other] = await Promise.all(small.map((server) => outcomeOf(server, script, task)))
    await Promise.all(small.map((server) => server.close()))
    expect(one).toEqual(other)
    expect(one?.responses[0]).toMatch(/^HTTP\/1.1 503 [^]*"code":"overloaded"/)
  })

  test.each(ODD)('answers as node:http does: %s', async (_, requestFor) => {
    for (const arrange of [whole, behindAnother, inPieces]) {
      const task = newTask()
      const script = arrange(Buffer.from(requestFor(task)), Buffer.from(post(eventBody(task, { agent: 'first' }))))
      expect(await outcomeOf(fast, script, task)).toEqual(await outcomeOf(plain, script, task))
    }
  })

  test('leaves a head that is too long to node:http, and the answer is a problem', async () => {
    const task = newTask()
    const script = whole(Buffer.from(post(eventBody(task), [`X-A: ${'a'.repeat(17_000)}`])))
    const { responses, written } = await outcomeOf(fast, script, task)
    expect(responses).toEqual([
      expect.stringMatching(/^HTTP\/1\.1 431 [^]*\nx-request-id: req_\n[^]*"code":"headers_too_large"/),
    ])
    expect(written).toEqual([])
  })

  test('and node:http give the same responses and write the same events for random requests', async () => {
    const count = byForm({ short: 20_000, long: 200_000 })
    const seed = randomSeed('requests of the fast path')
    const before = { ...fast.posts }
    const random = createRandom(seed)
    let dropped = 0
    for (let made = 0; made < count;) {
      const scripts = Array.from({ length: 8 }, () => {
        const task = newTask()
        return { task, ...createRawPosts(random, task) }
      })
      made += scripts.reduce((sum, { requests }) => sum + requests, 0)
      await Promise.all(
        scripts.map(async ({ task, pieces }) => {
          const [one, other] = await Promise.all([endOf(fast, { pieces }, task), endOf(plain, { pieces }, task)])
          if (JSON.stringify(one.outcome) === JSON.stringify(other.outcome)) return
          if (differInDropped(one, other)) dropped += 1
          else expect({ pieces: pieces.map(shown), ...one.outcome }).toEqual(other.outcome)
        }),
      )
    }
    expect(dropped).toBeLessThan(count / 100)
    // Otherwise one reader would have been compared with itself.
    expect(fast.posts.fast - before.fast).toBeGreaterThan(count / 10)
    expect(fast.posts.http - before.http).toBeGreaterThan(count / 10)
  }, 1_200_000)
})

/**
 * Whether two outcomes differ only in dropped responses, and in requests that waited for these. When bytes that are no HTTP follow
 * requests in the same read, `node:http` ends the connection, with or without the responses to them: it depends on whether it
 * reads the socket itself or gets the bytes from a stream, as after a hand-over. On Node 24 the same is true after a request line without a
 * version (HTTP/0.9), whose response closes the connection. No refusal is written while an earlier response is pending.
 */
function differInDropped(...ends: readonly [Ended, Ended]): boolean {
  const [one, other] = ends.map(({ outcome }) => outcome)
  if (!isStartOfOther(one?.written ?? [], other?.written ?? [])) return false
  const all = ends.map(({ outcome }) => outcome.responses)
  const lists = all.map((responses) => (isCut(responses.at(-1)) ? responses.slice(0, -1) : responses))
  const long = lists.reduce((longest, list) => (list.length > longest.length ? list : longest), [])
  const isEnded =
    closes(long.at(-1)) ||
    all.some((responses) => isCut(responses.at(-1))) ||
    ends.every(({ isEndedByServer }) => isEndedByServer)
  return isEnded && isStartOfOther(lists[0] ?? [], lists[1] ?? [])
}

/** Whether one of two lists begins with all of the other. */
function isStartOfOther(...lists: readonly [readonly string[], readonly string[]]): boolean {
  const [short = [], long = []] = lists.toSorted((a, b) => a.length - b.length)
  return short.every((text, at) => text === long[at])
}

/** Whether a response is that of node's parser. */
const isCut = (response: string | undefined): boolean =>
  /^HTTP\/1\.1 4\d\d [^]*"code":"(?:malformed_request|headers_too_large|body_too_large|request_timeout)"/.test(
    response ?? '',
  )

const closes = (response: string | undefined): boolean => /\nconnection: close\n/.test(response ?? '')

const shown = (piece: Buffer): string => piece.toString('latin1').replaceAll(/(.)\1{50,}/g, '$1…')

const whole = (request: Buffer): RawScript => ({ pieces: [request] })
const behindAnother = (request: Buffer, first: Buffer): RawScript => ({ pieces: [first, request] })

function inPieces(request: Buffer): RawScript {
  const size = Math.max(1, Math.ceil(request.length / 8))
  const starts = Array.from({ length: Math.ceil(request.length / size) }, (_, index) => index * size)
  return { pieces: starts.map((start) => request.subarray(start, start + size)) }
}
