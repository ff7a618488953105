import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newEventId, uuidToTypeId } from '@ariftly/events'
import type { Running } from '@ariftly/runtime'
import {
  byForm,
  createWorld,
  eventually,
  startCuttingProxy,
  startInProcess,
  startKafkaProxy,
  type CuttingProxy,
  type ServiceProcess,
  type World,
} from '@ariftly/testkit'
import fc from 'fast-check'
import { projectorConfig, start } from './service.ts'

const LONG = byForm({ short: false, long: true })
const RUNS = byForm({ short: 3, long: 50 })
const COMMANDS_MAX = 30
const TASKS = 4

/** What the table must hold: the first accepted content of each id. */
interface Model {
  readonly first: Map<string, Posted>
}

interface Posted {
  readonly id: string
  readonly task: string
  readonly text: string
}

/** The services of one run, and the way they are treated. */
interface System {
  post(events: readonly Posted[]): Promise<void>
  /** Ends the projector in order and starts it again. */
  restart(): Promise<void>
  /** The projector's Kafka or Postgres says nothing for so long. */
  freeze(what: 'kafka' | 'postgres', ms: number): Promise<void>
  rows(): Promise<readonly Posted[]>
}

type Step = fc.AsyncCommand<Model, System>

const byId = (a: Posted, b: Posted): number => (a.id < b.id ? -1 : 1)

function post(texts: readonly string[]): Step {
  return {
    check: () => true,
    async run(model, system) {
      const events = texts.map((text, index) => ({ id: newEventId(Date.now()), task: `t${index % TASKS}`, text }))
      await system.post(events)
      for (const event of events) model.first.set(event.id, event)
    },
    toString: () => `post(${texts.length})`,
  }
}

/** Posts events of before again: as they were, or (`text`) with other content. */
function repost(picks: readonly number[], text: string | undefined): Step {
  return {
    check: (model) => model.first.size > 0,
    async run(model, system) {
      const known = [...model.first.values()]
      const chosen = [...new Set(picks.map((pick) => known[pick % known.length]))].filter(
        (event) => event !== undefined,
      )
      await system.post(chosen.map((event) => ({ ...event, text: text ?? event.text })))
    },
    toString: () => `repost(${picks.length}${text === undefined ? '' : ', differing'})`,
  }
}

function restart(): Step {
  return { check: () => true, run: (_model, system) => system.restart(), toString: () => 'restart' }
}

function pause(what: 'kafka' | 'postgres', ms: number): Step {
  return {
    check: () => true,
    run: (_model, system) => system.freeze(what, ms),
    toString: () => `pause(${what}, ${ms})`,
  }
}

/** At every moment each row is one of the model's, with the content of the first record. */
function compare(): Step {
  return {
    check: () => true,
    async run(model, system) {
      for (const row of await system.rows()) expect(row).toEqual(model.first.get(row.id))
    },
    toString: () => 'compare',
  }
}

const text = fc.stringMatching(/^[a-z]{1,8}$/)
const picks = fc.array(fc.nat(1_000), { minLength: 1, maxLength: 10 })
const steps = fc.commands(
  [
    fc.array(text, { minLength: 1, maxLength: 20 }).map(post),
    picks.map((chosen) => repost(chosen, undefined)),
    fc.tuple(picks, text).map(([chosen, other]) => repost(chosen, other)),
    fc.constant(restart()),
    fc
      .tuple(fc.constantFrom('kafka' as const, 'postgres' as const), fc.integer({ min: 50, max: 400 }))
      .map((p) => pause(...p)),
    fc.constant(compare()),
  ],
  { maxCommands: COMMANDS_MAX, size: 'max' },
)

let world: World
let ingest: ServiceProcess
let kafkaProxy: CuttingProxy
let postgresProxy: CuttingProxy
let projector: Running
let runs = 0

beforeAll(async () => {
  world = await createWorld({ partitions: 3, env: { KAFKA_SESSION_TIMEOUT_MS: '6000' } })
  ingest = await world.startService('ingest')
  kafkaProxy = await startKafkaProxy(world.env['KAFKA_BROKERS'] ?? '')
  const { hostname, port } = new URL(world.database.url)
  postgresProxy = await startCuttingProxy({ host: hostname, port: Number(port) })
  projector = await startProjector()
})

afterAll(async () => {
  await projector?.close()
  await kafkaProxy?.close()
  await postgresProxy?.close()
  await world?.close()
})

/** On the proxies, so that ingest continues while they are frozen. */
async function startProjector(): Promise<Running> {
  const url = new URL(world.database.url)
  url.port = String(postgresProxy.port)
  const env = { ...world.env, KAFKA_BROKERS: `127.0.0.1:${kafkaProxy.port}`, DATABASE_URL: url.href }
  return await startInProcess({ config: projectorConfig, start }, env, { untilReady: false })
}

async function createSystem(): Promise<System> {
  const tenant = `run-${++runs}`
  const apiKey = await world.apiKey(tenant)

  async function send(events: readonly Posted[]): Promise<void> {
    const body = events.map(({ id, task, text: title }) => {
      return { id, type: 'task.created', task_id: `${tenant}-${task}`, data: { title } }
    })
    const response = await fetch(`${ingest.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    await response.text()
    expect(response.status).toBe(202)
  }

  async function rows(): Promise<readonly Posted[]> {
    const { rows: found } = await world.admin.query<Posted>(
      `SELECT id::text AS id, split_part(task_id, '-', 3) AS task, data->>'title' AS text
         FROM events WHERE tenant_id = $1`,
      [tenant],
    )
    return found.map(({ id, task, text: title }) => ({ id: uuidToTypeId('evt', id), task, text: title })).toSorted(byId)
  }

  return {
    post: send,
    rows,
    async restart() {
      await projector.close()
      projector = await startProjector()
    },
    async freeze(what, ms) {
      const proxy = what === 'kafka' ? kafkaProxy : postgresProxy
      proxy.freeze()
      await delay(ms)
      proxy.resume()
    },
  }
}

test(
  'after any posts, reposts, conflicting reposts, restarts and pauses the table holds the first content of each id',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (commands) => {
        const system = await createSystem()
        const model: Model = { first: new Map() }
        await fc.asyncModelRun(() => ({ model, real: system }), commands)
        const expected = [...model.first.values()].toSorted(byId)
        await eventually('all events are projected', async () => (await system.rows()).length >= expected.length)
        expect(await system.rows()).toEqual(expected)
      }),
      { numRuns: RUNS, endOnFailure: !LONG },
    )
  },
  RUNS * 40_000,
)
