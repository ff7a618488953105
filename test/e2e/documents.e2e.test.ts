import { execFile, spawn } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { buildOpenapi, GUIDES, type OpenapiDocument, type OpenapiOperation } from '@ariftly/api-documents'
import { eventually, openStream } from '@ariftly/testkit'
import { chromium } from 'playwright-core'
import { CHROMIUM_ARGS, findChromium } from '../support/find-chromium.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'

let system: Standalone
/** What the running system says of itself. */
let served: OpenapiDocument & { readonly info: { readonly description: string } }
/** A key that every route takes. */
let operator: string

beforeAll(async () => {
  system = await startStandalone()
  operator = await system.apiKeyOf('default', ['events:write', 'events:read', 'webhooks', 'admin', 'platform'])
  served = (await (await system.request('/openapi.json')).json()) as typeof served
})
afterAll(async () => {
  await system?.close()
})

interface DocumentedOperation {
  readonly name: string
  readonly method: string
  readonly path: string
  readonly operation: OpenapiOperation
}

const ALL: readonly DocumentedOperation[] = Object.entries(buildOpenapi({ nowMs: Date.now() }).paths).flatMap(
  ([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      name: operation.operationId,
      method: method.toUpperCase(),
      path,
      operation,
    })),
)
const WITH_EXAMPLES = ALL.flatMap((documented) =>
  Object.entries(documented.operation.requestBody?.content ?? {}).flatMap(([type, { examples = {} }]) =>
    Object.entries(examples).map(([example, { value }]) => ({ ...documented, type, example, value })),
  ),
)

describe('the OpenAPI document', () => {
  test('of the running system has every route', () => {
    expect(Object.keys(served.paths)).toEqual([...new Set(ALL.map(({ path }) => path))])
    const names = Object.values(served.paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    )
    expect(names.toSorted()).toEqual(ALL.map(({ name }) => name).toSorted())
  })

  test.each(WITH_EXAMPLES)('has examples that work unchanged: $name, $example', async (documented) => {
    const { method, path, type, value, operation } = documented
    const target = await filledPath(path)
    const body = bodyOf(type, value)
    const headers = { 'content-type': type, ...authorization() }
    if (path === '/v1/events/stream') {
      const stream = await openStream((signal) => system.request(target, { method, body, headers, signal }))
      expect(stream.response.headers.get('content-type')).toContain('text/event-stream')
      await stream.close()
      return
    }
    const response = await system.request(target, { method, body, headers })
    const text = await response.text()
    expect({ status: String(response.status), text }).toEqual({
      status: successOf(operation),
      text: expect.any(String),
    })
  })

  test.each(ALL.filter(({ operation }) => (operation.parameters ?? []).some((each) => each.in === 'query')))(
    'names exactly the parameters that $name takes, with examples that it takes',
    async (documented) => {
      const { method, path, operation } = documented
      const target = await filledPath(path)
      const refused = await system.request(`${target}?no_such_parameter=1`, { method, headers: authorization() })
      const problem = (await refused.json()) as { errors: { parameter: string; message: string }[] }
      const message = problem.errors.find(({ parameter }) => parameter === 'no_such_parameter')?.message ?? ''
      const query = (operation.parameters ?? []).filter((each) => each.in === 'query')
      const [, taken = ''] = /there are: (.*)$/.exec(message) ?? []
      expect(taken.split(', ').toSorted()).toEqual(query.map(({ name }) => name).toSorted())
      for (const { name, example } of query) {
        if (example === undefined) continue
        const stream = new AbortController()
        const given = new URLSearchParams({ ...NEEDED[path], [name]: textOf(example) })
        const response = await system.request(`${target}?${given.toString()}`, {
          method,
          headers: authorization(),
          signal: stream.signal,
        })
        expect({ name, status: response.status }).toEqual({ name, status: 200 })
        stream.abort()
      }
    },
  )

  test('has ids in its paths whose resources answer as documented', async () => {
    for (const documented of ALL.filter(({ method, path }) => method === 'GET' && path.includes('{'))) {
      const response = await system.request(await filledPath(documented.path), { headers: authorization() })
      expect({ path: documented.path, status: response.status }).toEqual({ path: documented.path, status: 200 })
      await response.text()
    }
  })
})

describe('the introduction', () => {
  test('has three calls that work as printed', async () => {
    const [post = '', list = '', follow = ''] = printedCalls()
    expect(printedCalls()).toHaveLength(3)
    const stream = spawn('bash', ['-c', `exec ${follow}`], { env: shellOf(), stdio: ['ignore', 'pipe', 'ignore'] })
    try {
      let shown = ''
      stream.stdout.setEncoding('utf8').on('data', (text: string) => (shown += text))
      await eventually('the checkpoint is shown', () => shown.includes('event: stream.checkpoint'))
      expect(await outputOf(post)).toMatchObject({ data: [{ index: 0, status: 'accepted' }] })
      await eventually('the event', async () => ((await outputOf(list)) as { data: object[] }).data.length === 1)
      await eventually('the event is shown', () => shown.includes('event: task.progress'))
    } finally {
      stream.kill()
    }
  })

  test('links pages of this installation alone', () => {
    const links = [...served.info.description.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link)
    const guides = links.filter((link) => link?.startsWith('/docs/guides/'))
    expect(guides).toEqual(GUIDES.map(({ name }) => `/docs/guides/${name}`))
    expect(links.filter((link) => !link?.startsWith('/'))).toEqual([])
  })
})

test('the reference shows the address of its page, and asks no other host for anything', async () => {
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGS })
  try {
    const page = await browser.newPage()
    const hosts = new Set<string>()
    const faults: string[] = []
    page.on('request', (request) => hosts.add(new URL(request.url()).origin))
    page.on('pageerror', (error) => faults.push(String(error)))
    await page.goto(system.url)
    expect(new URL(page.url()).pathname).toBe('/docs')
    await eventually('the page shows the command', async () =>
      (await page.evaluate<string>('document.body.innerText')).includes(`curl ${system.url}/v1/events -H`),
    )
    expect(await page.locator('a[href$="/docs/guides/streaming"]').first().innerText()).toBe('streaming')
    await page.getByRole('navigation').getByText('Webhooks', { exact: true }).click()
    await page.getByRole('navigation').getByText('Create a webhook', { exact: true }).click()
    const text = await eventually('the page shows the webhook command', async () => {
      const shown = await page.evaluate<string>('document.body.innerText')
      return shown.includes(`curl ${system.url}/v1/webhooks`) ? shown : undefined
    })
    expect(text).not.toContain('ARIFTLY_URL')
    // Of the answer, which has an example that the API itself has rendered.
    await eventually('the page shows the secret of the example', async () =>
      (await page.evaluate<string>('document.body.innerText')).includes('whsec_C2FVsBQIhrscChlQIMV'),
    )
    expect(text).not.toContain('api.ariftly.io')
    expect({ hosts: [...hosts], faults }).toEqual({ hosts: [system.url], faults: [] })
  } finally {
    await browser.close()
  }
})

test('the guides fit a page of 360 pixels, and ask no other host for anything', async () => {
  const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGS })
  try {
    const page = await browser.newPage({ viewport: { width: 360, height: 800 } })
    const hosts = new Set<string>()
    page.on('request', (request) => hosts.add(new URL(request.url()).origin))
    for (const { name } of GUIDES) {
      await page.goto(`${system.url}/docs/guides/${name}`)
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1)
      const width = await page.evaluate<number>('document.documentElement.scrollWidth')
      expect({ name, width }).toEqual({ name, width: 360 })
    }
    expect([...hosts]).toEqual([system.url])
  } finally {
    await browser.close()
  }
})
/** The calls of the introduction, as printed. */
function printedCalls(): readonly string[] {
  return [...served.info.description.matchAll(/```sh\n([^]*?)```/g)].map(([, text = '']) => text)
}

/** What a reader of the introduction has in the shell. */
function shellOf(): Readonly<Record<string, string | undefined>> {
  return { PATH: process.env['PATH'], ARIFTLY_URL: system.url, ARIFTLY_API_KEY: system.apiKey }
}

async function outputOf(command: string): Promise<unknown> {
  return JSON.parse((await promisify(execFile)('bash', ['-c', command], { env: shellOf() })).stdout)
}

/** Parameters without which a list is refused as too wide. */
const NEEDED: Readonly<Record<string, Readonly<Record<string, string>>>> = { '/v1/deliveries': { status: 'failed' } }

function successOf({ responses }: OpenapiOperation): string | undefined {
  return Object.keys(responses).find((status) => status.startsWith('2'))
}

function bodyOf(type: string, value: unknown): string {
  if (typeof value === 'string') return value
  return type === 'application/x-www-form-urlencoded'
    ? new URLSearchParams(value as Record<string, string>).toString()
    : JSON.stringify(value)
}

/** The path with ids of things that are there, made when they are first needed. */
async function filledPath(path: string): Promise<string> {
  if (!path.includes('{')) return path
  if (path.startsWith('/problems/')) return path.replace('{code}', 'not_found')
  if (path.startsWith('/docs/guides/')) return path.replace('{name}', 'producing')
  if (path.startsWith('/console/assets/')) return path.replace('{file}', await consoleAsset())
  if (path.startsWith('/v1/events/')) return path.replace('{id}', await eventId())
  if (path.startsWith('/v1/deliveries/')) return path.replace('{id}', await deliveryId())
  if (path.startsWith('/v1/redeliveries/')) return path.replace('{id}', await redeliveryId())
  if (path.startsWith('/v1/api-keys/')) return path.replace('{id}', await apiKeyId())
  if (path.startsWith('/v1/tenants/')) return path.replace('{id}', await tenantId())
  return path.includes('{replay}') ? await replayPath(path) : path.replace('{id}', await webhookId())
}

function authorization(): { readonly authorization: string } {
  return { authorization: `Bearer ${operator}` }
}

/** A script of the console, whose name is in its page. */
async function consoleAsset(): Promise<string> {
  const page = await (await system.request('/console')).text()
  return /\/console\/assets\/([^"]+\.js)"/.exec(page)?.[1] ?? 'none.js'
}

async function apiKeyId(): Promise<string> {
  return ((await system.post('/v1/api-keys', '{"name":"a","scopes":["events:read"]}', 201)) as { id: string }).id
}

/** A tenant that was put, so that another PUT answers 200. */
async function tenantId(): Promise<string> {
  const headers = { 'content-type': 'application/json', ...authorization() }
  const answer = await system.request('/v1/tenants/acme', { method: 'PUT', headers, body: '{}' })
  return ((await answer.json()) as { id: string }).id
}

async function eventId(): Promise<string> {
  const answer = (await system.post('/v1/events', '{"type":"task.created","task_id":"t","data":{}}', 202)) as {
    data: { id: string }[]
  }
  const id = answer.data[0]?.id ?? ''
  await eventually('the event is projected', async () => (await system.request(`/v1/events/${id}`)).status === 200)
  return id
}

async function webhookId(): Promise<string> {
  // Nothing listens there: the delivery fails, which is an outcome like another.
  const body = '{"url":"http://127.0.0.1:9/","events":["task.created"]}'
  return ((await system.post('/v1/webhooks', body, 201)) as { id: string }).id
}

async function deliveryId(): Promise<string> {
  const webhook = await webhookId()
  await eventId()
  const id = await eventually('the delivery is listed', async () => {
    const list = (await (await system.request(`/v1/webhooks/${webhook}/deliveries`)).json()) as {
      data: { id: string }[]
    }
    return list.data[0]?.id
  })
  return id ?? ''
}

async function redeliveryId(): Promise<string> {
  const body = JSON.stringify({ filter: { webhook_id: await webhookId() }, dry_run: true })
  return ((await system.post('/v1/deliveries/redeliver', body, 202)) as { id: string }).id
}

/** A webhook with a dry run, which ends or not. */
async function replayPath(path: string): Promise<string> {
  const webhook = await webhookId()
  const body = JSON.stringify({ after: new Date(Date.now() - 60_000).toISOString(), dry_run: true })
  const replay = (await system.post(`/v1/webhooks/${webhook}/replay`, body, 202)) as { id: string }
  return path.replace('{id}', webhook).replace('{replay}', replay.id)
}

/** A parameter's value in a query. */
function textOf(value: unknown): string {
  if (Array.isArray(value)) return value.map(textOf).join(',')
  return typeof value === 'string' ? value : JSON.stringify(value)
}
