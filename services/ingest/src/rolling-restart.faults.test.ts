import { Agent, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import {
  createWorld,
  eventually,
  readTopicIds,
  startServiceProcess,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'

const CLIENTS = 8
let world: World
let key: string
let env: Record<string, string>
let replicas: ServiceProcess[] = []

beforeAll(async () => {
  world = await createWorld()
  key = await world.apiKey('acme')
  env = { ...world.env, INGEST_FAREWELL_MS: '1500' }
  replicas = await Promise.all([startServiceProcess('ingest', env), startServiceProcess('ingest', env)])
}, 60_000)

afterAll(async () => {
  for (const replica of replicas) replica.kill('SIGTERM')
  await Promise.all(replicas.map(({ exited }) => exited))
  await world?.close()
}, 30_000)

interface Answer {
  readonly status: number
  readonly body: string
}

/** One request on a connection that is kept, unless the server says `Connection: close`. */
function postTo(port: number, agent: Agent, body: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const req = request({ host: '127.0.0.1', port, path: '/v1/events', method: 'POST', agent, headers }, (res) => {
      text(res).then((answer) => resolve({ status: res.statusCode ?? 0, body: answer }), reject)
    })
    req.on('error', reject)
    req.end(body)
  })
}

/** A front as balancers are: it takes turns among the replicas that said a moment ago that they are ready. */
function createFront() {
  const agent = new Agent({ keepAlive: true })
  const ready = new Set(replicas.map(({ port }) => port))
  const end = new AbortController()
  const watching = Promise.all(replicas.map(({ port }) => watch(port)))
  let turn = 0

  async function watch(port: number): Promise<void> {
    while (!end.signal.aborted) {
      if (await isReady(port)) ready.add(port)
      else ready.delete(port)
      await delay(50)
    }
  }

  async function close(): Promise<void> {
    end.abort()
    agent.destroy()
    await watching
  }

  const post = (body: string) => postTo([...ready][turn++ % ready.size] ?? 0, agent, body)
  return { post, close, isUsed: (port: number) => ready.has(port) }
}

async function isReady(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/readyz`)).ok
  } catch {
    return false
  }
}

function startClients(front: ReturnType<typeof createFront>) {
  const accepted: string[] = []
  const failures: string[] = []
  const end = new AbortController()

  async function run(): Promise<void> {
    while (!end.signal.aborted) {
      const id = newEventId(Date.now())
      const body = JSON.stringify({ id, type: 'task.created', task_id: `t${accepted.length % 20}`, data: {} })
      try {
        const answer = await front.post(body)
        if (answer.status === 202) accepted.push(id)
        else failures.push(`${answer.status} ${answer.body}`)
      } catch (error) {
        failures.push(String(error))
      }
      await delay(1)
    }
  }

  const running = Promise.all(Array.from({ length: CLIENTS }, run))
  return {
    accepted,
    failures,
    async end() {
      end.abort()
      await running
    },
  }
}

test('a rolling restart under load fails no request and loses no event', async () => {
  const front = createFront()
  const clients = startClients(front)
  await eventually(() => clients.accepted.length > 100)
  for (const [index, replica] of replicas.entries()) {
    const before = clients.accepted.length
    replica.kill('SIGTERM')
    expect(await replica.exited).toBe(0)
    replicas[index] = await startServiceProcess('ingest', env, { port: replica.port })
    await eventually(() => front.isUsed(replica.port))
    expect(clients.accepted.length).toBeGreaterThan(before)
  }
  await clients.end()
  await front.close()
  expect(clients.failures).toEqual([])
  const inTopic = await readTopicIds(world.env['KAFKA_BROKERS'] ?? '', world.topics.topic)
  expect(clients.accepted.filter((id) => !inTopic.has(id))).toEqual([])
}, 90_000)
