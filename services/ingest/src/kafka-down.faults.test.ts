import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import {
  createWorld,
  eventually,
  readTopicIds,
  serveInProcess,
  startKafkaProxy,
  startOwnStack,
  type CuttingProxy,
  type InProcessService,
  type World,
} from '@ariftly/testkit'
import { ingestConfig } from './config.ts'
import { start } from './service.ts'

/** Shorter than in production, where it is 5 s: Kafka is down for longer than this, as 45 s would be there. */
const PRODUCE_TIMEOUT_MS = 2000
/** How long answers are checked while Kafka is known to be down. */
const OBSERVED_MS = 2000
/** Pauses of a client after a refusal and after an acceptance. */
const [RETRY_MS, NEXT_MS] = [20, 2]
let proxy: CuttingProxy
let stack: Awaited<ReturnType<typeof startOwnStack>>
let world: World
let ingest: InProcessService
let key: string

beforeAll(async () => {
  stack = await startOwnStack()
  world = await createWorld({ addresses: stack.addresses })
  key = await world.apiKey('acme')
  proxy = await startKafkaProxy(stack.addresses.kafka)
  const kafka = { KAFKA_BROKERS: `127.0.0.1:${proxy.port}`, INGEST_PRODUCE_TIMEOUT_MS: String(PRODUCE_TIMEOUT_MS) }
  ingest = await serveInProcess({ config: ingestConfig, start }, { ...world.env, ...kafka })
})

afterAll(async () => {
  await ingest?.close()
  await proxy?.close()
  await world?.close()
  await stack?.close()
})

interface Answered {
  readonly status: number
  readonly tookMs: number
  readonly entries: readonly { readonly id: string; readonly status: string }[]
  readonly retryAfter: string | null
}

async function post(ids: readonly string[]): Promise<Answered> {
  const events = ids.map((id, index) => ({ id, type: 'task.created', task_id: `t${index % 5}`, data: { title: id } }))
  const startedMs = performance.now()
  const response = await fetch(`${ingest.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  const body = (await response.json()) as Partial<Record<'data' | 'events', Answered['entries']>>
  return {
    status: response.status,
    tookMs: performance.now() - startedMs,
    entries: body.data ?? body.events ?? [],
    retryAfter: response.headers.get('retry-after'),
  }
}

/** A client that posts without pause; an answer of 503 is posted again with the same ids. */
function startClient() {
  const accepted = new Set<string>()
  const answers: Answered[] = []
  const end = new AbortController()

  async function run(): Promise<void> {
    let waiting: string[] = []
    while (!end.signal.aborted || waiting.length > 0) {
      if (waiting.length === 0) waiting = Array.from({ length: 10 }, () => newEventId(Date.now()))
      const sent = waiting
      const answer = await post(sent)
      answers.push(answer)
      if (answer.entries.map(({ id }) => id).join() !== sent.join()) throw new Error('the answer has other ids')
      for (const { id, status } of answer.entries) if (status === 'accepted') accepted.add(id)
      waiting = answer.entries.filter(({ status }) => status === 'retry').map(({ id }) => id)
      await delay(answer.status === 503 ? RETRY_MS : NEXT_MS)
    }
  }

  const running = run()
  return {
    accepted,
    answers,
    async end() {
      end.abort()
      await running
    },
  }
}

/** A request begins with its length in four bytes; the key of its API follows, 0 for Produce. */
function isProduce(request: Buffer): boolean {
  return request.length >= 6 && request.readInt16BE(4) === 0
}

describe('when Kafka is back and acknowledges late', () => {
  test('its partitions are written to again', async () => {
    const slowMs = 1_300
    const ids = Array.from({ length: 5 }, () => newEventId(Date.now()))
    expect((await post(ids)).status).toBe(202)
    proxy.freeze()
    await eventually('ingest refuses for want of Kafka', async () => (await post(ids)).status === 503)
    await eventually('ingest refuses at once', async () => (await post(ids)).tookMs < 250)
    proxy.delayAnswersTo(isProduce, slowMs)
    proxy.resume()
    const client = startClient()
    try {
      await eventually('30 more events are accepted', () => client.accepted.size > 30)
    } finally {
      proxy.delayAnswersTo(isProduce, 0)
      await client.end()
    }
    await eventually('ingest accepts quickly again', async () => (await post([newEventId(Date.now())])).tookMs < slowMs)
  })
})

describe('when Kafka is down under load', () => {
  test('it is reached through the proxy alone', () => {
    expect(proxy.connections).toBeGreaterThan(0)
  })

  test.each([
    ['frozen', () => stack.kafka?.pause(), () => stack.kafka?.resume()],
    ['killed', () => stack.kafka?.kill(), () => stack.kafka?.start()],
    ['cut off by a network that swallows packets', () => proxy.freeze(), () => proxy.resume()],
  ] as const)(
    '(%s) nothing that was accepted is missing, refusals are fast once it is known, and it recovers without a restart',
    async (_how, away, back) => {
      const clients = [startClient(), startClient(), startClient()]
      await eventually('all clients have accepted events', () => clients.every(({ accepted }) => accepted.size > 50))
      await away()
      await eventually('all clients are refused', () => clients.every(({ answers }) => answers.at(-1)?.status === 503))
      await delay(PRODUCE_TIMEOUT_MS)
      const known = clients.map(({ answers }) => answers.length)
      await delay(OBSERVED_MS)
      const refusals = clients.flatMap(({ answers }, index) => answers.slice(known[index]))
      expect(refusals.length).toBeGreaterThan(20)
      expect(new Set(refusals.map(({ status }) => status))).toEqual(new Set([503]))
      expect(new Set(refusals.map(({ retryAfter }) => retryAfter))).toEqual(new Set(['1']))
      // The median, as a busy machine may hold up a few; none waits for Kafka.
      const times = refusals.map(({ tookMs }) => tookMs).toSorted((a, b) => a - b)
      expect(times[times.length >> 1]).toBeLessThan(250)
      expect(times.at(-1)).toBeLessThan(PRODUCE_TIMEOUT_MS)
      await back()
      const before = clients.map(({ accepted }) => accepted.size)
      await eventually('all clients have accepted more events', () =>
        clients.every(({ accepted }, index) => accepted.size > (before[index] ?? 0) + 50),
      )
      await Promise.all(clients.map((client) => client.end()))
      // Also the partitions to which nobody posts.
      await eventually('no partition refuses events', () => ingest.ready().checks['kafka'] === 'ok')
      expect(await (await fetch(`${ingest.url}/metrics`)).text()).toContain('\nariftly_ingest_open_partitions 0\n')
      // Twice the timeout; the rest is for a busy machine.
      const slowest = Math.max(...clients.flatMap(({ answers }) => answers.map(({ tookMs }) => tookMs)))
      expect(slowest).toBeLessThan(2 * PRODUCE_TIMEOUT_MS + 6000)
      const inTopic = await readTopicIds(stack.addresses.kafka, world.topics.topic)
      const missing = clients.flatMap(({ accepted }) => Array.from(accepted)).filter((id) => !inTopic.has(id))
      expect(missing).toEqual([])
    },
  )
})
