import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import {
  byForm,
  createRandom,
  createWorld,
  eventually,
  randomSeed,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'

const MUTATIONS = byForm({ short: 2000, long: 40_000 })
const AT_ONCE = 20

let world: World
let key: string
let gateway: ServiceProcess

beforeAll(async () => {
  world = await createWorld({ env: { DRAIN_MS: '0' } })
  key = await world.apiKey('acme')
  gateway = await world.startService('stream-gateway')
})

afterAll(() => world?.close())

test(
  `${MUTATIONS} seeded mutations of sound requests are answered, none of them with a 5xx`,
  async () => {
    const random = createRandom(randomSeed('mutations of stream requests'))
    const id = await eventually(
      'a stream with an id',
      async () => /id: (\S+)/.exec(await send(get('/v1/events/stream'), 'id: v1.'))?.[1],
    )
    const token = await eventually('a stream token', async () => {
      const answer = await send(tokenRequest('{"task_id":"t-1","ttl_s":60}'), '"token"')
      return /"token":"([^"]+)"/.exec(answer)?.[1]
    })
    expect({ id: id?.slice(0, 3), token: token?.slice(0, 3) }).toEqual({ id: 'v1.', token: 'st_' })
    const sound = soundRequests(id ?? '', token ?? '')
    const statuses = new Map<string, number>()
    const bad: string[] = []
    let left = MUTATIONS

    async function run(): Promise<void> {
      while (left > 0) {
        left -= 1
        const request = mutate(sound[Math.floor(random() * sound.length)] ?? '', random)
        const answer = await send(request)
        const status = /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'none'
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
        if (status.startsWith('5')) bad.push(`${request}\n=> ${answer.slice(0, 400)}`)
      }
    }

    await Promise.all(Array.from({ length: AT_ONCE }, run))
    expect(bad.slice(0, 3)).toEqual([])
    // The mutations must reach their targets: streams open, and refusals of several kinds.
    expect([...statuses.keys()]).toEqual(expect.arrayContaining(['200', '400', '401', '415', '422']))
    expect((await fetch(`${gateway.url}/readyz`)).status).toBe(200)
  },
  byForm({ short: 90_000, long: 900_000 }),
)

function soundRequests(id: string, token: string): string[] {
  return [
    get('/v1/events/stream'),
    get(`/v1/events/stream?task_id=task_1&types=task.progress,task.failed&envelope=true`),
    get(`/v1/events/stream?agent=a/b&session_id=s-1&after=2026-11-25T08:45:37.123%2B01:00`),
    get(`/v1/events/stream?last_event_id=${id}`),
    get('/v1/events/stream?agent=x', `Last-Event-ID: ${id}\r\n`),
    get(`/v1/events/stream?token=${token}`),
    form('/v1/events/stream', `task_id=task_1&last_event_id=${id}`, 'application/x-www-form-urlencoded'),
    tokenRequest('{"task_id":"t-1","agent":"a","types":["task.progress"],"ttl_s":3600}'),
    tokenRequest('{"session_id":null,"ttl_s":10}'),
  ]
}

function get(path: string, headers = ''): string {
  return `GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\n${headers}\r\n`
}

function form(path: string, body: string, type: string): string {
  const length = Buffer.byteLength(body)
  return `POST ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\nContent-Type: ${type}\r\nContent-Length: ${length}\r\n\r\n${body}`
}

function tokenRequest(body: string): string {
  return form('/v1/stream-tokens', body, 'application/json')
}

const ODD = [
  '\0',
  '%',
  '%00',
  '%ff',
  '%c3%28',
  '&',
  '=',
  '?',
  '"',
  '{',
  '}',
  '\\',
  ';',
  ',',
  '..',
  '-1',
  '1e999',
  'ü',
  ' ',
]

/** One to three changes at random positions: a piece removed, repeated, replaced, inserted, or a case changed. */
function mutate(request: string, random: () => number): string {
  let text = request
  for (let change = 0; change <= random() * 3; change += 1) {
    const at = Math.floor(random() * text.length)
    const end = Math.min(text.length, at + 1 + Math.floor(random() * 12))
    const odd = ODD[Math.floor(random() * ODD.length)] ?? ''
    const kind = Math.floor(random() * 5)
    if (kind === 0) text = text.slice(0, at) + text.slice(end)
    else if (kind === 1) text = text.slice(0, end) + text.slice(at)
    else if (kind === 2) text = text.slice(0, at) + odd + text.slice(end)
    else if (kind === 3) text = text.slice(0, at) + odd.repeat(1 + Math.floor(random() * 40)) + text.slice(at)
    else text = text.slice(0, at) + text.slice(at, end).toUpperCase() + text.slice(end)
  }
  return withLength(text)
}

/** Most mutants keep a valid length, so that the body is validated and not its framing. */
function withLength(text: string): string {
  const [head, body] = [text.slice(0, text.indexOf('\r\n\r\n')), text.slice(text.indexOf('\r\n\r\n') + 4)]
  return text.includes('\r\n\r\n') && /content-length: /i.test(head)
    ? `${head.replace(/content-length: \d+/i, `Content-Length: ${Buffer.byteLength(body)}`)}\r\n\r\n${body}`
    : text
}

/** Sends bytes and returns the data up to the end of the answer's head (or `until`), the end of the connection, or half a second. */
async function send(request: string, until = '\r\n\r\n'): Promise<string> {
  return await new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: gateway.port })
    let text = ''
    const done = () => {
      socket.destroy()
      resolve(text)
    }
    socket.setTimeout(500, done)
    socket.on('error', done).on('close', done)
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      if (text.includes(until)) done()
    })
    socket.write(request)
  })
}
