import { EventEmitter, once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import {
  ApiError,
  Ariftly,
  AriftlyError,
  EventRefusedError,
  type EventStream,
  type NewEvent,
  type StreamOptions,
} from './index.ts'
import { explain, unwrap } from './webhooks/index.ts'

/** Plays the cases of `packages/sdk/contract`, whose README says what their members mean. */
const FOLDER = join(import.meta.dirname, '../contract')

interface Case {
  readonly name: string
  readonly options?: Readonly<Record<string, number>>
  readonly calls: readonly ContractCall[]
  readonly exchanges: readonly Exchange[]
  readonly results: readonly (object | null)[]
  readonly stats?: object
}

interface ContractCall {
  readonly call: string
  readonly wait?: boolean
  readonly events?: readonly NewEvent[]
  readonly options?: StreamOptions & { readonly stall_timeout_ms?: number }
  readonly take?: number
  readonly until?: string
  readonly state?: string
  readonly body_text?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly secrets?: readonly string[]
  readonly now_s?: number
  readonly tolerance_s?: number
  readonly allow_untimed?: boolean
  readonly query?: object
  readonly id?: string
  readonly body?: never
  readonly timeout_ms?: number
}

interface Exchange {
  readonly key?: string
  readonly request: {
    readonly method: string
    readonly path: string
    readonly query?: object
    readonly headers?: object
    readonly body?: object
    readonly contains?: string
    readonly same_body_as?: number
    readonly same_header_as?: readonly [string, number]
    readonly other_id_than?: number
    readonly after_ms?: number
  }
  readonly answer: {
    readonly status?: number
    readonly headers?: Readonly<Record<string, string>>
    readonly body?: object
    readonly text?: string
    readonly then?: 'reset' | 'hang' | 'reset_at_once'
    readonly when_arrived?: number
  }
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly query: object
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly atMs: number
}

const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'))

describe.each(files)('%s', (file) => {
  const cases = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Case[]

  test.each(cases)('$name', async ({ options = {}, calls, exchanges, results, stats = {} }) => {
    const asked: Asked[] = []
    const server = await serve(exchanges, asked)
    const client = new Ariftly({
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      apiKey: 'key',
      attemptTimeoutMs: options['attempt_timeout_ms'],
      maxRetries: options['max_retries'],
      maxRetryAfterMs: options['max_retry_after_ms'],
      send: { queueEventsMax: options['queue_events_max'], batchEventsMax: options['batch_events_max'] },
      logger: { warn: () => {}, debug: () => {} },
    })
    try {
      const outcomes: Promise<object>[] = []
      for (const call of calls) {
        const outcome = make(client, call).catch(describeError)
        outcomes.push(outcome)
        if (call.wait !== false) await outcome
      }
      expect(await Promise.all(outcomes)).toMatchObject(results)
      expect(client.events.stats()).toMatchObject(stats)
      expect(asked).toHaveLength(exchanges.length)
      for (const [at, { request }] of exchanges.entries()) check(request, asked, at)
    } finally {
      await client.close({ timeoutMs: 1 })
      server.closeAllConnections()
      server.close()
    }
  })
})

/** Plays the exchanges; `asked` gets each request at the place of its exchange. */
async function serve(exchanges: readonly Exchange[], asked: Asked[]) {
  const free = exchanges.map((_, at) => at)
  const arrivals = new EventEmitter().setMaxListeners(exchanges.length)
  let arrived = 0
  const server = createServer((req, res) => void answer(req, res))
  async function answer(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const body = (await buffer(req)).toString()
    const { pathname, searchParams } = new URL(req.url ?? '', 'http://localhost')
    const { method = '', headers } = req
    const at = free.find((each) => [undefined, keyOf(body)].includes(exchanges[each]?.key)) ?? asked.length
    if (free.includes(at)) free.splice(free.indexOf(at), 1)
    asked[at] = { method, path: pathname, query: Object.fromEntries(searchParams), headers, body, atMs: Date.now() }
    arrivals.emit('one', (arrived += 1))
    const given = exchanges[at]?.answer ?? { status: 404 }
    while (arrived < (given.when_arrived ?? 0)) await once(arrivals, 'one')
    const { status = 200, headers: more = {}, body: json, text, then } = given
    if (then === 'reset_at_once') req.socket.destroy()
    if (then === 'reset_at_once' || (then === 'hang' && text === undefined)) return
    res.writeHead(status, json === undefined ? more : { 'content-type': 'application/json', ...more })
    const written = text ?? (json === undefined ? '' : withIds(JSON.stringify(json), body))
    if (then === undefined) res.end(written)
    else res.write(written, () => then === 'reset' && req.socket.destroy())
  }
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return server
}

/** The task of the first event of a post. */
function keyOf(body: string): string | undefined {
  return body.startsWith('[') ? (JSON.parse(body) as { task_id?: string }[])[0]?.task_id : undefined
}

function withIds(text: string, body: string): string {
  return text.replaceAll(
    /\$id\[(\d+)\]/g,
    (_, at: string) => (JSON.parse(body) as { id: string }[])[Number(at)]?.id ?? '',
  )
}

async function make(client: Ariftly, call: ContractCall): Promise<object> {
  switch (call.call) {
    case 'send':
      return { accepted: (await client.events.send(call.events ?? [], { timeoutMs: call.timeout_ms })).length }
    case 'try_send':
      return { taken: client.events.trySend(call.events ?? []) }
    case 'close':
      return { unsent: (await client.close({ timeoutMs: call.timeout_ms ?? 1000 })).unsent.length }
    case 'stream':
      return await readStream(client, call)
    case 'await_state':
      await eventually(`the state is ${call.state}`, () => latest?.state.type === call.state)
      return {}
    case 'unwrap': {
      const { id, event, rawData } = await unwrap(...deliveryOf(call))
      return { id, type: event.type, raw_data: rawData }
    }
    case 'explain':
      return { checks: await explain(...deliveryOf(call)) }
    case 'list_events': {
      const events = await client.events.list(call.query).toArray({ limit: 1000 })
      return { ids: events.map(({ id }) => id) }
    }
    case 'get_event':
      return await client.events.get(call.id ?? '')
    case 'create_webhook':
      return await client.webhooks.create(call.body ?? ({} as never))
    default:
      throw new Error(`The harness does not know the call ${call.call}.`)
  }
}

/** The stream that was opened last. */
let latest: EventStream | undefined

async function readStream(client: Ariftly, { options = {}, take, until }: ContractCall): Promise<object> {
  const items: string[] = []
  const positions: (string | undefined)[] = []
  const rawEvents: string[] = []
  const states: string[] = []
  let retryInS: number | undefined
  const stream = client.events.stream({
    ...options,
    stallTimeoutMs: options.stall_timeout_ms,
    onState(state) {
      states.push(state.type)
      if (state.type === 'waiting') retryInS = Math.floor((state.retryAt.getTime() - Date.now()) / 1000)
      if (state.type === until) stream.close()
    },
  })
  latest = stream
  for await (const item of stream) {
    items.push(item.type === 'stream.reset' ? item.type : item.id)
    positions.push(item.position)
    if (item.type !== 'stream.reset') rawEvents.push(item.rawEvent)
    if (items.length === take) stream.close()
  }
  return { items, positions, raw_events: rawEvents, states, position: stream.position, retry_in_s: retryInS }
}

function deliveryOf(call: ContractCall): Parameters<typeof unwrap> {
  const options = { nowS: call.now_s, toleranceS: call.tolerance_s, allowUntimed: call.allow_untimed }
  return [call.body_text ?? '', call.headers ?? {}, call.secrets ?? [], options]
}

function describeError(error: unknown): object {
  if (!(error instanceof AriftlyError)) throw error
  const { code } = error
  if (error instanceof ApiError) return { error: { code, status: error.status, request_id: error.problem?.request_id } }
  return { error: error instanceof EventRefusedError ? { code, pointer: error.pointer } : { code } }
}

function check(request: Exchange['request'], asked: readonly Asked[], at: number): void {
  const got = asked[at]
  if (got === undefined) throw new Error(`There was no request ${at}.`)
  expect({ method: got.method, path: got.path }).toEqual({ method: request.method, path: request.path })
  if (request.query !== undefined) expect(got.query).toEqual(request.query)
  expect(got.headers).toMatchObject(request.headers ?? {})
  if (request.body !== undefined) expect(JSON.parse(got.body)).toMatchObject(request.body)
  if (request.contains !== undefined) expect(got.body).toContain(request.contains)
  if (request.same_body_as !== undefined) expect(got.body).toBe(asked[request.same_body_as]?.body)
  if (request.same_header_as !== undefined) {
    const [name, other] = request.same_header_as
    expect(got.headers[name]).toBeTruthy()
    expect(got.headers[name]).toBe(asked[other]?.headers[name])
  }
  if (request.other_id_than !== undefined) {
    expect(firstIdOf(got.body)).not.toBe(firstIdOf(asked[request.other_id_than]?.body))
  }
  if (request.after_ms !== undefined) {
    expect(got.atMs - (asked[at - 1]?.atMs ?? 0)).toBeGreaterThanOrEqual(request.after_ms)
  }
}

function firstIdOf(body = '[]'): string | undefined {
  return (JSON.parse(body) as { id: string }[])[0]?.id
}
