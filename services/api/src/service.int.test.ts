import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { newEventId, newTypeId, renderEvent, typeIdToUuid } from '@ariftly/events'
import { createKeyring } from '@ariftly/keyring'
import {
  type CuttingProxy,
  type InProcessService,
  type ProjectedEvent,
  type World,
  createWorld,
  eventually,
  insertEvents,
  sampleRow,
  serveInProcess,
  startCuttingProxy,
} from '@ariftly/testkit'
import { apiConfig, start } from './service.ts'

let world: World
let api: InProcessService
const API = { config: apiConfig, start }
const keys: Record<'mine' | 'theirs' | 'writer', string> = { mine: '', theirs: '', writer: '' }

beforeAll(async () => {
  world = await createWorld({ partitions: 1 })
  keys.mine = await world.apiKey('mine', ['events:read', 'webhooks'])
  keys.theirs = await world.apiKey('theirs', ['events:read', 'webhooks'])
  keys.writer = await world.apiKey('mine', ['events:write'])
  api = await serveInProcess(API, world.env)
})
afterAll(async () => {
  await api?.close()
  await world?.close()
})

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body. */
  readonly json: Record<string, unknown>
}

interface Call {
  readonly key?: string
  readonly method?: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

async function call(path: string, o: Call = {}): Promise<Answer> {
  const body = typeof o.body === 'string' ? o.body : JSON.stringify(o.body)
  const response = await fetch(api.url + path, {
    method: o.method ?? 'GET',
    headers: {
      authorization: `Bearer ${o.key ?? keys.mine}`,
      ...(o.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...o.headers,
    },
    ...(o.body === undefined ? {} : { body }),
  })
  const text = await response.text()
  const json = text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)
  return { status: response.status, headers: response.headers, text, json }
}

function idsOf(answer: Answer): string[] {
  return (answer.json['data'] as { id: string }[]).map(({ id }) => id)
}

async function list(query: string): Promise<string[]> {
  return idsOf(await call(`/v1/events?${query}`))
}

let offset = 0

function newEvent(ms: number, changes: Partial<ProjectedEvent> = {}): ProjectedEvent {
  return sampleRow({
    tenant: 'mine',
    taskId: 'task_1',
    data: Buffer.from(`{"task_id":"task_1","n":1.0,"big":9223372036854775808,"s":"\\u00e9é"}`),
    offset: offset++,
    appendedAtMs: ms,
    ...changes,
  })
}

async function store(events: readonly ProjectedEvent[]): Promise<void> {
  await insertEvents(world.admin, events)
}

describe('GET /v1/events', () => {
  const noon = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 7_200_000
  const iso = new Date(noon).toISOString().slice(0, 19)

  test('shows events with their posted bytes, newest first', async () => {
    const events = [newEvent(noon, { taskId: 'task_bytes' }), newEvent(noon + 1, { taskId: 'task_bytes', agent: 'a' })]
    await store(events)
    const answer = await call('/v1/events?task_id=task_bytes')
    const rendered = events.toReversed().map((event) => renderEvent(event).toString())
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(answer.text).toBe(`{"object":"list","data":[${rendered.join(',')}],"has_more":false,"next_cursor":null}`)
  })

  test('filters by task, agent, session and types, each alone and together', async () => {
    const base = { taskId: 'task_f', agent: 'agent_f', sessionId: 'session_f' }
    const events = [
      newEvent(noon, base),
      newEvent(noon + 1, { ...base, type: 'task.complete' }),
      newEvent(noon + 2, { ...base, agent: 'agent_g', type: 'task.failed' }),
      newEvent(noon + 3, { ...base, tenant: 'theirs' }),
    ]
    await store(events)
    const [first, second, third] = events.map(({ id }) => id)
    expect(await list('task_id=task_f')).toEqual([third, second, first])
    expect(await list('session_id=session_f&order=asc')).toEqual([first, second, third])
    expect(await list('agent=agent_f')).toEqual([second, first])
    expect(await list('task_id=task_f&type=task.failed')).toEqual([third])
    expect(await list('agent=agent_f&type=task.failed,task.progress')).toEqual([first])
    expect(await list('type=task.failed,task.complete&order=asc')).toEqual([second, third])
    expect(await list('types=task.failed,task.complete&order=asc')).toEqual([second, third])
    expect(await list('type=approval.resolved')).toEqual([])
  })

  test('takes bounds that are exclusive, with any offset and finer than a millisecond', async () => {
    const events = [newEvent(noon + 100), newEvent(noon + 101), newEvent(noon + 102)]
    await store(events.map((event) => ({ ...event, taskId: 'task_b' })))
    const [first, second, third] = events.map(({ id }) => id)
    expect(await list(`task_id=task_b&order=asc&after=${iso}.100Z`)).toEqual([second, third])
    expect(await list(`task_id=task_b&order=asc&after=${iso}.0999Z`)).toEqual([first, second, third])
    expect(await list(`task_id=task_b&order=asc&after=${iso}.1009Z`)).toEqual([second, third])
    expect(await list(`task_id=task_b&order=asc&before=${iso}.101`)).toEqual([first])
    expect(await list(`task_id=task_b&order=asc&before=${iso}.1010001Z`)).toEqual([first, second])
    expect(await list(`task_id=task_b&order=asc&after=${iso}.100Z&before=${iso}.102Z`)).toEqual([second])
    const east = new Date(noon + 2 * 3_600_000).toISOString().slice(0, 19)
    expect(await list(`task_id=task_b&order=asc&after=${east}.100+02:00`)).toEqual([second, third])
    expect(await list(`task_id=task_b&order=asc&after=${east}.100%2B02:00`)).toEqual([second, third])
  })

  test.each(['asc', 'desc'])('goes through all pages without gap or repeat (%s)', async (order) => {
    const task = `task_pages_${order}`
    const events = Array.from({ length: 11 }, (_, index) => newEvent(noon + Math.floor(index / 3), { taskId: task }))
    await store(events)
    const seen: string[] = []
    let query = `task_id=${task}&order=${order}&limit=4`
    for (;;) {
      const page = await call(`/v1/events?${query}`)
      seen.push(...idsOf(page))
      if (page.json['has_more'] !== true) break
      query = `task_id=${task}&order=${order}&limit=4&cursor=${String(page.json['next_cursor'])}`
    }
    const sorted = events.map(({ id }) => id).toSorted()
    expect(seen).toEqual(order === 'asc' ? sorted : sorted.toReversed())
  })

  test('takes a cursor only from the same tenant with the same filters and order', async () => {
    await store(Array.from({ length: 3 }, () => newEvent(noon, { taskId: 'task_c', agent: 'x' })))
    const base = 'task_id=task_c&type=task.progress,task.failed'
    const cursor = String((await call(`/v1/events?${base}&limit=1`)).json['next_cursor'])
    expect((await call(`/v1/events?${base}&limit=2&cursor=${cursor}`)).status).toBe(200)
    const sameTypes = 'task_id=task_c&type=task.failed,task.progress'
    expect((await call(`/v1/events?${sameTypes}&cursor=${cursor}`)).status).toBe(200)
    const otherName = base.replace('type=', 'types=')
    expect((await call(`/v1/events?${otherName}&cursor=${cursor}`)).status).toBe(200)
    const refused = await Promise.all([
      call(`/v1/events?${base}&cursor=${cursor}`, { key: keys.theirs }),
      call(`/v1/events?task_id=task_c&cursor=${cursor}`),
      call(`/v1/events?${base}&agent=x&cursor=${cursor}`),
      call(`/v1/events?${base}&order=asc&cursor=${cursor}`),
      call(`/v1/events?${base}&after=2026-01-01T00:00:00Z&cursor=${cursor}`),
      call(`/v1/webhooks?cursor=${cursor}`),
    ])
    for (const { status, json } of refused) expect({ status, code: json['code'] }).toEqual(BAD_CURSOR)
  })

  const BAD_CURSOR = { status: 400, code: 'invalid_cursor' }

  test.each([
    'types=task.created&type=task.created',
    'limit=501',
    'after=yesterday',
    'task_id=',
    'order=up',
    'order=asc&order=asc',
  ])('refuses ?%s by name', async (query) => {
    const answer = await call(`/v1/events?${query}`)
    const errors = answer.json['errors'] as { parameter: string }[]
    expect(answer.status).toBe(400)
    expect(errors.map(({ parameter }) => parameter)).toEqual([query.slice(0, query.indexOf('='))])
  })

  test('shows a tenant nothing of another, and needs the scope', async () => {
    await store([newEvent(noon, { taskId: 'task_secret' })])
    expect(idsOf(await call('/v1/events?task_id=task_secret', { key: keys.theirs }))).toEqual([])
    expect((await call('/v1/events', { key: keys.writer })).status).toBe(403)
    expect((await call('/v1/events', { key: 'ak_nobody_nobody_nobody_nobody' })).status).toBe(401)
  })
})

describe('GET /v1/tasks', () => {
  test('pages through tasks by their creation, each with its newest event in its posted bytes', async () => {
    const atMs = Date.now() - 60_000
    const agent = 'lister'
    const created = [1, 2, 3].map((n) => newEvent(atMs + n, { taskId: `task_t${n}`, agent, type: 'task.created' }))
    const last = newEvent(atMs + 10, { taskId: 'task_t1', agent, type: 'task.progress' })
    await store([...created, last])
    const [first, second, third] = created
    const query = '/v1/tasks?agent=lister&limit=2'
    const page = await call(query)
    const next = await call(`${query}&cursor=${String(page.json['next_cursor'])}`)
    const tasks = [page, next].flatMap(({ json }) => json['data'] as Record<string, unknown>[])
    expect(tasks.map((task) => [task['id'], task['agent']])).toEqual([3, 2, 1].map((n) => [`task_t${n}`, agent]))
    expect(tasks[2]).toMatchObject({ object: 'task', created: { id: first?.id }, last: { id: last.id } })
    expect(tasks[0]).toMatchObject({ created: { id: third?.id }, last: { id: third?.id } })
    expect(page.text).toContain(`"created":${renderEvent(second as ProjectedEvent).toString()},"last":`)
    expect((await call('/v1/tasks?agent=lister', { key: keys.theirs })).json['data']).toEqual([])
    expect((await call('/v1/tasks?limit=101')).status).toBe(400)
    expect((await call('/v1/tasks', { key: keys.writer })).status).toBe(403)
    const foreign = await call(`/v1/tasks?cursor=${String(page.json['next_cursor'])}`)
    expect(foreign.json['code']).toBe('invalid_cursor')
  })
})

describe('GET /v1/events/{id}', () => {
  test('says of which kind an id of another thing is', async () => {
    const { status, json } = await call(`/v1/events/${newTypeId('dlv')}`)
    expect(status).toBe(404)
    expect(json['detail']).toBe('The id of the path is of kind delivery; that of kind event begins with evt_.')
  })

  let event: ProjectedEvent

  beforeAll(async () => {
    event = newEvent(Date.now())
    await store([event])
  })

  test('shows the event with a tag, with which it may be cached without limit', async () => {
    const answer = await call(`/v1/events/${event.id}`)
    expect(answer.text).toBe(renderEvent(event).toString())
    expect(answer.headers.get('cache-control')).toBe('private, max-age=31536000, immutable')
    const etag = answer.headers.get('etag') ?? ''
    const again = await call(`/v1/events/${event.id}`, { headers: { 'if-none-match': `"other", W/${etag}` } })
    expect({ status: again.status, text: again.text }).toEqual({ status: 304, text: '' })
    const changed = await call(`/v1/events/${event.id}`, { headers: { 'if-none-match': '"other"' } })
    expect(changed.status).toBe(200)
  })

  test('answers HEAD with the same head and no body', async () => {
    const head = await call(`/v1/events/${event.id}`, { method: 'HEAD' })
    expect({ status: head.status, text: head.text }).toEqual({ status: 200, text: '' })
    expect(head.headers.get('content-length')).toBe(String(renderEvent(event).length))
    const page = await call('/v1/events?limit=1', { method: 'HEAD' })
    expect({ status: page.status, text: page.text }).toEqual({ status: 200, text: '' })
  })

  test('is 404 for another tenant, with or without a tag, and for a malformed id', async () => {
    const path = `/v1/events/${event.id}`
    expect((await call(path, { key: keys.theirs })).status).toBe(404)
    expect((await call(path, { key: keys.theirs, headers: { 'if-none-match': '*' } })).status).toBe(404)
    expect((await call('/v1/events/evt_1')).json).toMatchObject({ status: 404, code: 'not_found' })
  })
})

describe('webhooks', () => {
  const body = { url: 'https://example.com/hook', events: ['task.*'] }

  async function create(more: object = {}): Promise<Answer> {
    const answer = await call('/v1/webhooks', { method: 'POST', body: { ...body, ...more } })
    expect(answer.status).toBe(201)
    return answer
  }

  test('are created with a secret that is shown once and stored sealed', async () => {
    const created = await create({ headers: { 'X-Token': 'header-value' }, secret: 'my-own-secret' })
    const id = String(created.json['id'])
    expect(created.headers.get('location')).toBe(`/v1/webhooks/${id}`)
    expect(created.json).toMatchObject({
      object: 'webhook',
      ...body,
      secret: 'my-own-secret',
      headers: ['X-Token'],
      enabled: true,
      disabled_reason: null,
      ordering: 'none',
      rate_limit: null,
      pending_count: 0,
    })
    const { secret: _, ...shown } = created.json
    const shownAgain = await call(`/v1/webhooks/${id}`)
    expect(shownAgain.json).toEqual(shown)
    const { rows } = await world.admin.query<{ row: string; secret: Buffer; headers: Buffer }>(
      `SELECT webhooks::text AS row, secret, headers FROM webhooks WHERE id = $1`,
      [typeIdToUuid('whk', id)],
    )
    expect(rows[0]?.row).not.toMatch(/my-own-secret|header-value/)
    const keyring = createKeyring(world.env['ENCRYPTION_KEYS'] ?? '')
    const open = (sealed: Buffer): string | undefined => keyring.open(sealed, `webhook:mine:${id}`)?.toString()
    expect(open(rows[0]?.secret ?? Buffer.alloc(0))).toBe('my-own-secret')
    expect(open(rows[0]?.headers ?? Buffer.alloc(0))).toBe('{"X-Token":"header-value"}')
  })

  test('get a secret if they bring none', async () => {
    expect((await create()).json['secret']).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/)
  })

  test('are changed member by member, and deleted once', async () => {
    const id = String((await create({ agent: 'a', headers: { 'X-A': 'b' } })).json['id'])
    const path = `/v1/webhooks/${id}`
    const changes = { events: ['*'], agent: null, headers: null, enabled: false, rate_limit: 5 }
    const changed = await call(path, { method: 'PATCH', body: changes })
    expect(changed.json).toMatchObject({ ...changes, headers: [], url: body.url, disabled_reason: 'manual' })
    expect((await call(path, { method: 'PATCH', body: { url: 'https://10.0.0.1/' } })).status).toBe(422)
    expect((await call(path, { method: 'DELETE', key: keys.theirs })).status).toBe(404)
    expect((await call(path, { method: 'DELETE' })).status).toBe(204)
    for (const method of ['DELETE', 'GET']) expect((await call(path, { method })).status).toBe(404)
    expect((await call(path, { method: 'PATCH', body: {} })).status).toBe(404)
    expect((await call(`${path}/deliveries`)).status).toBe(404)
    expect(idsOf(await call('/v1/webhooks?limit=500'))).not.toContain(id)
  })

  test('are listed newest first with a cursor, and only to their tenant', async () => {
    const [first, second] = [String((await create()).json['id']), String((await create()).json['id'])]
    const page = await call('/v1/webhooks?limit=1')
    expect(page.json['has_more']).toBe(true)
    const next = await call(`/v1/webhooks?limit=1&cursor=${String(page.json['next_cursor'])}`)
    expect([...idsOf(page), ...idsOf(next)].toSorted()).toEqual([first, second].toSorted())
    expect(idsOf(await call('/v1/webhooks', { key: keys.theirs }))).toEqual([])
    expect((await call(`/v1/webhooks/${first}`, { key: keys.theirs })).status).toBe(404)
  })

  test('are at most 100 a tenant, also when several are created at the same time', async () => {
    const key = await world.apiKey('collector', ['webhooks'])
    await world.admin.query(
      `INSERT INTO webhooks (id, tenant_id, url, events, secret)
       SELECT gen_random_uuid(), 'collector', 'https://example.com/', '{*}', '' FROM generate_series(1, 98)`,
    )
    const create5 = Array.from({ length: 5 }, () => call('/v1/webhooks', { method: 'POST', body, key }))
    const answers = await Promise.all(create5)
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2)
    const refused = answers.filter(({ status }) => status === 409)
    expect(refused.map(({ json }) => json['code'])).toEqual(Array(3).fill('too_many_webhooks'))
  })

  test.each([
    ['malformed JSON', '{', {}, 400, 'malformed_json'],
    ['no body', '', {}, 422, 'missing_body'],
    ['another type', 'url=x', { 'content-type': 'text/plain' }, 415, 'unsupported_media_type'],
    ['an encoding', '{}', { 'content-encoding': 'gzip' }, 415, 'unsupported_encoding'],
    ['too much', `{"url":"${'x'.repeat(300_000)}"}`, {}, 413, 'body_too_large'],
    ['a wrong member', { ...body, task: 't' }, {}, 422, 'invalid_body'],
  ] as [string, unknown, Record<string, string>, number, string][])(
    'refuse %s',
    async (_what, wrong, headers, status, code) => {
      const answer = await call('/v1/webhooks', { method: 'POST', body: wrong, headers })
      expect({ status: answer.status, code: answer.json['code'] }).toEqual({ status, code })
      expect(answer.headers.get('content-type')).toBe('application/problem+json')
    },
  )
})

describe('deliveries', () => {
  test('are listed by status and page, and shown with their attempts', async () => {
    const hook = await call('/v1/webhooks', { method: 'POST', body: { url: 'https://example.com/', events: ['*'] } })
    const webhook = String(hook.json['id'])
    const ids = [0, 1, 2].map((index) => newTypeId('dlv', Date.now() - 1000 + index))
    for (const [index, id] of ids.entries()) {
      await world.admin.query(
        `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", state, due_at, finished_at)
         VALUES ($1, 'mine', $2, $3, 'task.created', 1, 0, $4, $5, $6, $7)`,
        [
          typeIdToUuid('dlv', id),
          typeIdToUuid('whk', webhook),
          typeIdToUuid('evt', newEventId(Date.now())),
          index,
          index === 0 ? 'failed' : 'pending',
          index === 0 ? null : new Date(),
          index === 0 ? new Date() : null,
        ],
      )
    }
    await world.admin.query(
      `INSERT INTO attempts (delivery_id, attempt, tenant_id, webhook_id, started_at, total_ms, status, error_class, response_headers, response_body)
       VALUES ($1, 1, 'mine', $2, now(), 12, 500, 'http_5xx', '{"a":"b"}', 'oops')`,
      [typeIdToUuid('dlv', ids[0] ?? ''), typeIdToUuid('whk', webhook)],
    )
    const path = `/v1/webhooks/${webhook}/deliveries`
    const first = await call(`${path}?limit=2`)
    expect(idsOf(first)).toEqual([ids[2], ids[1]])
    expect(idsOf(await call(`${path}?limit=2&cursor=${String(first.json['next_cursor'])}`))).toEqual([ids[0]])
    expect(idsOf(await call(`${path}?status=failed`))).toEqual([ids[0]])
    expect((await call(`${path}?status=queued`)).status).toBe(400)
    expect((await call(`/v1/deliveries/${ids[0]}`)).json).toMatchObject({
      object: 'delivery',
      id: ids[0],
      webhook_id: webhook,
      status: 'failed',
      next_attempt_at: null,
      attempts: [{ attempt: 1, status: 500, error: 'http_5xx', response_headers: { a: 'b' }, response_body: 'oops' }],
    })
    expect((await call(`/v1/deliveries/${ids[0]}`, { key: keys.theirs })).status).toBe(404)
    expect((await call('/v1/deliveries/dlv_1')).status).toBe(404)
    expect((await call(`/v1/webhooks/${webhook}`)).json).toMatchObject({ pending_count: 2 })
    expect((await call(`/v1/webhooks/${webhook}`, { method: 'DELETE' })).status).toBe(204)
    const { rows } = await world.admin.query(`SELECT state FROM deliveries WHERE webhook_id = $1 ORDER BY "offset"`, [
      typeIdToUuid('whk', webhook),
    ])
    expect(rows.map(({ state }) => state as unknown)).toEqual(['failed', 'cancelled', 'cancelled'])
  })
})

describe('while deliveries cannot be read', () => {
  const body = { url: 'https://receiver.example.com/', events: ['*'] }

  test('when the deliveries of single events cannot be read, other tenants still have connections and a webhook can be deleted', async () => {
    const event = newEvent(Date.now(), { taskId: 'task_slow' })
    await store([event])
    const webhook = String((await call('/v1/webhooks', { method: 'POST', body })).json['id'])
    const lock = await world.admin.connect()
    try {
      await lock.query('BEGIN')
      await lock.query('LOCK TABLE deliveries IN ACCESS EXCLUSIVE MODE')
      const deleted = call(`/v1/webhooks/${webhook}`, { method: 'DELETE' })
      const path = `/v1/events/${event.id}?include=deliveries`
      const slow = Promise.all(Array.from({ length: 30 }, async () => (await call(path)).status))
      await eventually('2 sessions wait', async () => {
        const { rows } = await world.admin.query('SELECT FROM pg_locks WHERE NOT granted')
        return rows.length >= 2
      })
      expect((await call(`/v1/redeliveries/${newTypeId('rdl')}`, { key: keys.theirs })).status).toBe(404)
      // Cancelling its pending deliveries gives up.
      expect((await deleted).status).toBe(204)
      await lock.query('ROLLBACK')
      await slow
    } finally {
      lock.release(true)
    }
  })
})

describe('while Postgres is unavailable', () => {
  let far: InProcessService | undefined
  let proxy: CuttingProxy | undefined

  afterAll(async () => {
    await far?.close()
    await proxy?.close()
  })

  test('a known key gets 503 with Retry-After immediately, the service stays ready, and all works when it is back', async () => {
    const url = new URL(world.database.url)
    proxy = await startCuttingProxy({ host: url.hostname, port: Number(url.port) })
    url.port = String(proxy.port)
    const cut = (far = await serveInProcess(API, { ...world.env, DATABASE_URL: url.href }))
    const get = (path: string): Promise<Response> =>
      fetch(cut.url + path, { headers: { authorization: `Bearer ${keys.mine}` } })
    expect((await get('/v1/events?limit=1')).status).toBe(200)
    proxy.cutAfterBytes(0)
    proxy.dropAll()
    for (const path of ['/v1/events?limit=1', '/v1/webhooks', `/v1/events/${newEventId(Date.now())}`]) {
      const startedMs = performance.now()
      const answer = await get(path)
      expect({ status: answer.status, retryAfter: answer.headers.get('retry-after') }).toEqual({
        status: 503,
        retryAfter: '1',
      })
      expect(performance.now() - startedMs).toBeLessThan(2500)
    }
    await eventually('Postgres is lost', () => cut.ready().checks['keys'] !== 'ok')
    expect(cut.ready().ready).toBe(true)
    proxy.cutAfterBytes(undefined)
    await eventually('events are listed again', async () => (await get('/v1/events?limit=1')).status === 200)
    await eventually('Postgres is found again', () => cut.ready().checks['keys'] === 'ok')
  })
})
