import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { EVENT_TYPES, isSessionType } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import {
  byForm,
  createRandom,
  createWorld,
  eventually,
  randomSeed,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'

const MUTATIONS = byForm({ short: 3000, long: 60_000 })
const AT_ONCE = 32
/** An incomplete request gets no answer before the client gives up. */
const PATIENCE_MS = 500
const HANG_MS = 10_000
let world: World
let ingest: ServiceProcess
let key: string

beforeAll(async () => {
  world = await createWorld({ partitions: 3 })
  key = await world.apiKey('acme')
  ingest = await world.startService('ingest')
})

afterAll(() => world?.close())

type Random = () => number
const below = (random: Random, limit: number): number => Math.floor(random() * limit)
const oneOf = <T>(random: Random, choices: readonly [T, ...T[]]): T =>
  choices[below(random, choices.length)] ?? choices[0]

/** A request that is right, in one of its forms. */
function validRequest(random: Random): { head: string[]; body: Buffer } {
  const events = Array.from({ length: 1 + below(random, 5) }, () => {
    const type = EVENT_TYPES[below(random, EVENT_TYPES.length)] ?? 'task.created'
    const names = isSessionType(type) ? { session_id: 's1' } : { task_id: 't1', agent: 'a' }
    return { type, ...names, created_at: new Date().toISOString(), data: catalogue[type].example }
  })
  const ndjson = random() < 0.3
  const text = ndjson ? events.map((event) => JSON.stringify(event)).join('\n') : JSON.stringify(events)
  const head = [
    'POST /v1/events HTTP/1.1',
    'Host: ingest',
    `Authorization: Bearer ${key}`,
    `Content-Type: application/${ndjson ? 'x-ndjson' : 'json'}`,
  ]
  return { head, body: Buffer.from(text) }
}

const FRAGMENTS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '\\',
  '\\u0000',
  '\\ud800',
  ',',
  ':',
  'null',
  '1e999',
  '-',
  '\n',
  '\0',
  '\xff',
] as const
const HEADERS = [
  'Content-Encoding: gzip',
  'Content-Encoding: br',
  'Content-Encoding: zstd',
  'Transfer-Encoding: chunked',
  'Content-Length: 7',
  'Content-Length: -1',
  'Expect: 100-continue',
  'Expect: 200-ok',
  'Content-Type: application/json; charset=latin1',
  'Connection: upgrade',
  'Upgrade: h2c',
  'X-Request-Id: \x01',
  `X-Long: ${'x'.repeat(20_000)}`,
  'traceparent: 00-0-0-0',
  'Authorization: Basic eDp5',
] as const

/** Damages bytes: flips, drops, doubles, cuts, or puts something in. */
function damage(random: Random, bytes: Buffer): Buffer {
  const at = below(random, bytes.length)
  const span = below(random, Math.min(40, bytes.length - at))
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (below(random, 6)) {
    case 0:
      return Buffer.concat([before, Buffer.from([below(random, 256)]), after.subarray(1)])
    case 1:
      return Buffer.concat([before, after.subarray(span)])
    case 2:
      return Buffer.concat([before, after.subarray(0, span), after])
    case 3:
      return before
    case 4:
      return Buffer.concat([before, Buffer.from(oneOf(random, FRAGMENTS), 'latin1'), after])
    default:
      return Buffer.concat([
        before,
        Buffer.from(oneOf(random, ['[', '{"a":'] as const).repeat(below(random, 2000))),
        after,
      ])
  }
}

/** The bytes of one request, damaged up to three times in the body, the headers or anywhere. */
function mutate(random: Random): Buffer {
  const { head, body: whole } = validRequest(random)
  const kind = below(random, 4)
  let body = whole
  for (let times = kind === 0 ? 0 : 1 + below(random, 3); times > 0; times -= 1) body = damage(random, body)
  const lines = [...head, `Content-Length: ${body.length}`]
  if (kind < 2) lines.splice(1 + below(random, lines.length), 0, oneOf(random, HEADERS))
  const bytes = Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), body])
  return kind === 3 && random() < 0.5 ? damage(random, bytes) : bytes
}

/** Sends bytes on a new connection and returns the statuses of the answers, or `hang` when the connection is not ended. */
function exchange(bytes: Buffer): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const socket = connect(ingest.port, '127.0.0.1', () => socket.write(bytes))
    let text = ''
    const statuses = () => Array.from(text.matchAll(/HTTP\/1\.1 (\d{3})/g), ([, status]) => status ?? '')
    const end = () => socket.end()
    const patience = setTimeout(end, PATIENCE_MS)
    const hang = setTimeout(() => {
      socket.destroy()
      resolve(['hang'])
    }, HANG_MS)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if (statuses().some((status) => status !== '100')) end()
    })
    socket.on('error', () => undefined) // A cut connection is no error.
    socket.on('close', () => {
      clearTimeout(patience)
      clearTimeout(hang)
      resolve(statuses())
    })
  })
}

async function run(random: Random, count: number): Promise<ReadonlyMap<string, number>> {
  const seen = new Map<string, number>()
  let left = count

  async function work(): Promise<void> {
    while (left-- > 0) {
      const bytes = mutate(random)
      for (const status of await exchange(bytes)) {
        seen.set(status, (seen.get(status) ?? 0) + 1)
        if (status === 'hang' || status.startsWith('5'))
          process.stderr.write(`${status}: ${bytes.toString('base64')}\n`)
      }
    }
  }

  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return seen
}

test(
  `${MUTATIONS} damaged requests: no answer is 5xx, none hangs, and memory returns to its level`,
  async () => {
    const random = createRandom(randomSeed('mutations'))
    await run(random, MUTATIONS / 3) // Until then memory grows by compiled code and pools.
    const level = await ingest.metric('ariftly_process_resident_memory_bytes')
    const seen = await run(random, MUTATIONS)
    process.stderr.write(`mutations: ${JSON.stringify(Object.fromEntries(seen))}\n`)
    expect([...seen.keys()].filter((status) => status === 'hang' || status.startsWith('5'))).toEqual([])
    for (const status of ['202', '207', '400', '415', '422']) expect(seen.get(status) ?? 0).toBeGreaterThan(10)
    await eventually('no body in memory', async () => (await ingest.metric('ariftly_ingest_buffered_bytes ')) === 0)
    expect((await ingest.metric('ariftly_process_resident_memory_bytes')) - level).toBeLessThan(60_000_000)
  },
  byForm({ short: 120_000, long: 900_000 }),
)
