import type { ChildProcess } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { sign } from '@ariftly/sdk/webhooks'
import { eventually, findFreePort, startForwardProxy } from '@ariftly/testkit'
import { chromium } from 'playwright-core'
import { fencedBlocks, readPage } from '../docs/markdown.ts'
import { CHROMIUM_ARGS, findChromium } from '../support/find-chromium.ts'
import { runChecker } from '../support/run-checker.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { createFixture, findNode24, findRuntimes, type Fixture } from './fixture.ts'

const SECRET = 'a-secret-of-the-tests'
/** Sends, follows, lists, reads, and verifies a webhook; prints what it has found. */
const PROGRAM = `
async function main() {
  // What debug writes is not on standard output.
  const options = { defaultHeaders: { 'X-Gateway': 'g' }, logLevel: 'debug' }
  const client = new Ariftly({ baseUrl: process.env.ARIFTLY_URL, apiKey: process.env.ARIFTLY_API_KEY, ...options })
  const task_id = process.argv[2]
  const after = new Date().toISOString()
  const sent = await client.events.send([1, 2, 3].map((n) => ({ type: 'task.progress', task_id, data: '{"message":"m","n":' + n + '.0}' })))
  const streamed = []
  const stream = client.events.stream({ task_id, after })
  for await (const event of stream) if (streamed.push(event.rawData) === 3) stream.close()
  // The list follows the log: it may have an event later than a stream.
  let listed = []
  while (listed.length < 3) listed = await client.events.list({ task_id, order: 'asc', limit: 2 }).toArray({ limit: 10 })
  const event = await client.events.get(sent[0].id)
  const body = JSON.stringify(event)
  const delivered = await client.webhooks.unwrap(body, await webhooks.sign({ body, secrets: 'a secret' }), 'a secret')
  const refused = await client.events.send({ type: 'task.progress', task_id, data: {} }).catch((error) => error)
  const found = {
    streamed,
    listed: listed.map(({ id }) => id === sent[listed.findIndex((one) => one.id === id)].id),
    delivered: delivered.event.id === sent[0].id,
    refused: [refused instanceof EventRefusedError, refused.name, refused.pointer],
    status: (await client.request({ method: 'GET', path: '/v1/events/' + sent[0].id })).status,
    spool: typeof openSpool,
    helpers: [express, fastify, hono, next].map((helper) => typeof Object.values(helper)[0]),
  }
  await client.close()
  console.log(JSON.stringify(found))
}
main()
`
/** Sends, and returns without `close`; the linger is so long that the events are sent at the end of the program or never. */
const PROGRAM_WITHOUT_CLOSE = `
import { Ariftly } from '@ariftly/sdk'
const client = new Ariftly({
  baseUrl: process.env.ARIFTLY_URL,
  apiKey: process.env.ARIFTLY_API_KEY,
  send: { lingerMs: 600_000 },
})
for (const n of [1, 2, 3]) {
  client.events.trySend({ type: 'task.progress', task_id: process.argv[2], data: { message: 'm', n } })
}
`
/** Behind the recipe for proxies. */
const PROXY_PROGRAM = `
import { Ariftly } from '@ariftly/sdk'
const client = new Ariftly()
const task_id = 't-proxy'
const { status } = await client.request({ method: 'GET', path: '/v1/api-keys/current' })
await client.events.send({ type: 'task.progress', task_id, data: { message: 'm' } })
const after = new Date(Date.now() - 60_000).toISOString()
const stream = client.events.stream({ task_id, after })
for await (const event of stream) {
  console.log(status, event.data.message)
  stream.close()
}
`
/** An empty page. */
const SITE = `
import { createServer } from 'node:http'
createServer((_, response) => response.setHeader('Content-Type', 'text/html').end('<!doctype html>'))
  .listen(process.env.PORT, () => console.log('ready'))
`
/** What runs in a page: a stream whose connections are counted. */
const PAGE = `([baseUrl, apiKey]) => {
  globalThis.opened = 0
  const counted = (...call) => (globalThis.opened++, fetch(...call))
  const stream = new Ariftly({ baseUrl, apiKey, fetch: counted }).events.stream({ task_id: 't-page-online' })
  void (async () => { for await (const event of stream); })()
}`
/** What a program writes that is compiled for a browser, without the types of Node. */
const TYPED_PAGE = `
import { Ariftly, type AriftlyEvent, type StreamState } from '@ariftly/sdk'
import { unwrap } from '@ariftly/sdk/webhooks'
import { webhookRoute } from '@ariftly/sdk/next'
// @ts-expect-error It would hide the Event of browsers.
import type { Event as Hidden } from '@ariftly/sdk'
const after: string | undefined = undefined
const client = new Ariftly({ baseUrl: '/', apiKey: undefined, streamToken: async () => ({ token: 't' }) })
const onState = ({ type }: StreamState) => document.title = type
for await (const event of client.events.stream({ task_id: 't', after, onState })) {
  if (event.type === 'task.progress') document.title = event.data.message
  document.dispatchEvent(new Event('progress'))
}
// @ts-expect-error It is \`progress\`.
client.events.trySend({ type: 'task.progress', task_id: 't', data: { message: 'm', progess: 0.4 } })
client.events.trySend<{ page: number }>({ type: 'task.progress', task_id: 't', data: { message: 'm', page: 1 } })
export const kept: [AriftlyEvent?, Hidden?] = []
export { unwrap, webhookRoute }
`
/** What the snippets of the README use and do not declare. */
const README_GLOBALS = `
import type { Ariftly as Client, StreamItem } from '@ariftly/sdk'
declare global {
  const Ariftly: typeof Client
  const client: Client
  const apiKey: string
  const baseUrl: string
  const rawBody: Uint8Array
  const headers: Headers
  const body: string
  const secret: string
  const formerSecret: string
  const show: (item: StreamItem) => void
}
`
const HELPERS = ['express', 'fastify', 'hono', 'next']
const ESM = [
  "import { Ariftly, EventRefusedError } from '@ariftly/sdk'",
  "import * as webhooks from '@ariftly/sdk/webhooks'",
  "import { openSpool } from '@ariftly/sdk/node'",
  ...HELPERS.map((name) => `import * as ${name} from '@ariftly/sdk/${name}'`),
].join('\n')
const CJS = [
  "const { Ariftly, EventRefusedError } = require('@ariftly/sdk')",
  "const webhooks = require('@ariftly/sdk/webhooks')",
  "const { openSpool } = require('@ariftly/sdk/node')",
  ...HELPERS.map((name) => `const ${name} = require('@ariftly/sdk/${name}')`),
].join('\n')

let fixture: Fixture
let system: Standalone
let sitePort: number
const children: ChildProcess[] = []

beforeAll(async () => {
  sitePort = await findFreePort()
  ;[fixture, system] = await Promise.all([
    createFixture(),
    startStandalone({ CORS_ORIGINS: `http://127.0.0.1:${sitePort}` }),
  ])
})

afterAll(async () => {
  for (const child of children) child.kill()
  await system?.close()
})

const postProgress = async (message: string) =>
  await system.post('/v1/events', JSON.stringify({ type: 'task.progress', task_id: 't-page', data: { message } }), 202)
const numbersOf = async (task: string) => {
  const answer = await system.request(`/v1/events?task_id=${task}&order=asc`)
  const { data } = (await answer.json()) as { readonly data: readonly { readonly data: { readonly n: number } }[] }
  return data.map((event) => event.data.n)
}
/** A program of the guide to webhooks. */
const programOf = (name: string) =>
  new RegExp(`<!-- run: ${name} -->\n+\`\`\`js\n([^]*?)\`\`\``).exec(readPage('docs/webhooks.md'))?.[1] ?? ''
const env = () => ({ ARIFTLY_URL: system.url, ARIFTLY_API_KEY: system.apiKey })

describe('the packed SDK', () => {
  test('has nothing that publint and attw complain about, and no dependencies', () => {
    expect(runChecker('package', JSON.stringify(fixture.packed))).toEqual([])
    const manifest = JSON.parse(readFileSync(join(fixture.packed.folder, 'package.json'), 'utf8')) as object
    const dependencies = Object.keys(manifest).filter((name) => /dependencies/i.test(name))
    expect(dependencies.filter((name) => name !== 'devDependencies')).toEqual([])
    expect(manifest).toMatchObject({ name: '@ariftly/sdk', license: 'UNLICENSED' })
  })

  test('holds its changelog, and no sources and maps beside the modules', () => {
    const files = readdirSync(fixture.packed.folder, { recursive: true, encoding: 'utf8' })
    expect(files.filter((file) => !/^dist(\/|$)/.test(file)).toSorted()).toEqual([
      'CHANGELOG.md',
      'README.md',
      'package.json',
    ])
    const modules = files.filter((file) => file.includes('.'))
    expect(modules.filter((file) => !/\.(js|d\.ts|json|md)$/.test(file))).toEqual([])
    const read = (file: string) => readFileSync(join(fixture.packed.folder, file), 'utf8')
    expect(modules.filter((file) => read(file).includes('sourceMappingURL'))).toEqual([])
  })

  test('costs a page at most 13.8 kB: sending and streaming, minified and packed', async () => {
    fixture.write('size.mjs', "import { Ariftly } from '@ariftly/sdk'\nglobalThis.client = new Ariftly()\n")
    // `client.webhooks.unwrap` loads the rest when it is called.
    await fixture.bundle('size.mjs', 'bundles/size.js', '*/webhooks/unwrap.js')
    const bytes = gzipSync(readFileSync(join(fixture.folder, 'bundles/size.js')), { level: 9 }).length
    process.stderr.write(`import { Ariftly }: ${bytes} bytes\n`)
    expect(bytes).toBeLessThanOrEqual(13_800)
  })

  test('has a README whose snippets compile', async () => {
    const page = readPage('packages/sdk/README.md')
    const snippets = [...fencedBlocks(page, 'js'), ...fencedBlocks(page, 'ts')]
    expect(snippets.length).toBeGreaterThanOrEqual(8)
    // `export {}` makes each a module with names of its own.
    const files = snippets.map((snippet, at) => fixture.write(`snippet-${at + 1}.mts`, `${snippet}\nexport {}\n`))
    expect(await fixture.check([...files, fixture.write('globals.mts', README_GLOBALS)])).toBe('')
  })

  test('has a README whose programs run as printed, as plain JavaScript', async () => {
    const [send = '', follow = ''] = fencedBlocks(readPage('packages/sdk/README.md'), 'js')
    fixture.write('send.mjs', send)
    fixture.write('follow.mjs', follow)
    expect(await fixture.run(process.execPath, 'send.mjs', env())).toBe('')
    expect(await fixture.run(process.execPath, 'follow.mjs', env())).toBe('Analyzing document\n')
  })

  test('has a README whose recipe for proxies carries calls, sending and streams', async () => {
    const recipe =
      fencedBlocks(readPage('packages/sdk/README.md'), 'js').find((block) => block.includes('undici')) ?? ''
    const proxy = await startForwardProxy(Number(new URL(system.url).port))
    try {
      fixture.write('proxy.mjs', recipe + PROXY_PROGRAM)
      const variables = { ...env(), ARIFTLY_URL: 'http://api.ariftly.invalid', HTTP_PROXY: proxy.url }
      expect(await fixture.run(process.execPath, 'proxy.mjs', variables)).toBe('200 m\n')
      expect(new Set(proxy.requests)).toEqual(new Set(['CONNECT api.ariftly.invalid:80']))
    } finally {
      await proxy.close()
    }
  })

  test('is used by guides whose programs run as printed', async () => {
    const [send = ''] = fencedBlocks(readPage('docs/ingest.md'), 'js')
    const [follow = ''] = fencedBlocks(readPage('docs/streaming.md'), 'js')
    fixture.write('guide-send.mjs', send)
    fixture.write('guide-follow.mjs', follow)
    expect(await fixture.run(process.execPath, 'guide-send.mjs', env())).toBe('')
    const [, task = ''] = /task_id: '(\w+)'/.exec(follow) ?? []
    const complete = JSON.stringify({ type: 'task.complete', task_id: task, data: {} })
    let printed: string | undefined
    const following = fixture.run(process.execPath, 'guide-follow.mjs', env()).then((text) => (printed = text))
    // The stream has events posted after it was opened.
    await eventually('the page shows the event', async () => {
      await system.post('/v1/events', complete, 202)
      return printed !== undefined
    })
    expect(await following).toMatch(/^task\.complete \{/)
  })

  test('creates a webhook and explains a refusal as the guide to webhooks prints it', async () => {
    fixture.write('guide-create.mjs', programOf('create'))
    expect(await fixture.run(process.execPath, 'guide-create.mjs', env())).toMatch(/^whk_\w+\n$/)
    fixture.write('guide-explain.mjs', programOf('explain'))
    expect(await fixture.run(process.execPath, 'guide-explain.mjs', env())).toContain('match failed no signature fits')
  })

  test.each([['without esnext.disposable'], ['with it', 'esnext.disposable']])(
    'compiles in the strictest project of a page, %s',
    async (_, ...more) => {
      const file = fixture.write('typed-page.mts', TYPED_PAGE)
      const lib = ['es2023', 'dom', 'dom.iterable', ...more]
      expect(await fixture.check([file], { types: [], lib })).toBe('')
    },
  )

  const node24 = findNode24()
  test.each([
    ['ES modules', 'program.mjs', ESM, process.execPath],
    ['CommonJS', 'program.cjs', CJS, process.execPath],
    ...(node24 === undefined ? [] : [['ES modules on Node 24', 'program-24.mjs', ESM, node24] as const]),
    ...findRuntimes().map(([name, runtime]) => [`ES modules on ${name}`, `program-${name}.mjs`, ESM, runtime] as const),
  ])('works as %s', async (_, file, head, runtime) => {
    fixture.write(file, head + PROGRAM)
    const printed = await fixture.run(runtime, file, env(), [`t-${file}`])
    expect(JSON.parse(printed)).toEqual({
      streamed: [1, 2, 3].map((n) => `{"task_id":"t-${file}","message":"m","n":${n}.0}`),
      listed: [true, true, true],
      delivered: true,
      refused: [true, 'EventRefusedError', '/data/message'],
      status: 200,
      spool: 'function',
      helpers: ['function', 'function', 'function', 'function'],
    })
  })
})

describe('a program that returns without close', () => {
  test.each([['Node', process.execPath], ...findRuntimes()])(
    'sends what it has left before it ends, on %s',
    async (name, runtime) => {
      const task = `t-without-close-${name}`
      fixture.write('without-close.mjs', PROGRAM_WITHOUT_CLOSE)
      await fixture.run(runtime, 'without-close.mjs', env(), [task])
      await eventually('3 events are sent', async () => (await numbersOf(task)).length === 3)
      expect(await numbersOf(task)).toEqual([1, 2, 3])
    },
  )
})

describe('a page in Chromium', () => {
  test('opens its stream again when it is online again', async () => {
    fixture.write('global.mjs', "import { Ariftly } from '@ariftly/sdk'\nglobalThis.Ariftly = Ariftly\n")
    await fixture.bundle('global.mjs', 'bundles/global.js')
    fixture.write('site.mjs', SITE)
    const site = await fixture.start('site.mjs', { PORT: String(sitePort) })
    const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGS })
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${sitePort}/`)
      await page.addScriptTag({ path: join(fixture.folder, 'bundles/global.js') })
      await page.evaluate(`(${PAGE})(${JSON.stringify([system.url, system.apiKey])})`)
      await page.waitForFunction('opened === 1', undefined, { timeout: 30_000 })
      await page.evaluate("dispatchEvent(new Event('online'))")
      await page.waitForFunction('opened === 2', undefined, { timeout: 10_000 })
    } finally {
      await browser.close()
      site.child.kill()
    }
  })
})

describe('examples', () => {
  test('the agent reports and the worker follows', async () => {
    await fixture.run(process.execPath, 'examples/agent.mjs', env(), ['t-example'])
    const printed = await fixture.run(process.execPath, 'examples/worker.mjs', env(), ['t-example'])
    expect(printed.split('\n')).toEqual([
      'Page 1 of 3 (33 %)',
      'Page 2 of 3 (67 %)',
      'Page 3 of 3 (100 %)',
      'task.complete',
      '',
    ])
  })

  test('the receiver in express prints each delivery once, and refuses unsigned requests', async () => {
    const port = await findFreePort()
    const url = `http://127.0.0.1:${port}/ariftly-webhook`
    const receiver = await fixture.start('examples/receiver-express.mjs', {
      PORT: String(port),
      WEBHOOK_SECRET: SECRET,
    })
    children.push(receiver.child)
    await system.post('/v1/webhooks', JSON.stringify({ url, events: ['session.closed'], secret: SECRET }), 201)
    await system.post('/v1/events', '{"type":"session.closed","session_id":"s-example","data":{}}', 202)
    await eventually('the receiver has a closed session', () => receiver.output().includes('session.closed evt_'))
    const forged = await fetch(url, { method: 'POST', body: '{}', headers: { 'webhook-signature': 'v1,x' } })
    expect(forged.status).toBe(401)
    expect(receiver.output().match(/session\.closed/g)).toHaveLength(1)
  })

  test('the route of Next takes a signed Request and refuses another', async () => {
    // What Next calls, with what it gives: it is not itself installed here.
    fixture.write(
      'next.mjs',
      `import { POST } from './examples/next/app/ariftly-webhook/route.js'
       const [body, headers] = JSON.parse(process.argv[2])
       for (const text of [body, body + ' ']) {
         console.log((await POST(new Request('http://x/', { method: 'POST', body: text, headers }))).status)
       }`,
    )
    const body = '{"object":"event","id":"evt_1","type":"session.closed","data":{"session_id":"s"}}'
    const given = JSON.stringify([body, await sign({ body, secrets: SECRET })])
    const printed = await fixture.run(process.execPath, 'next.mjs', { WEBHOOK_SECRET: SECRET }, [given])
    expect(printed).toBe('session.closed evt_1\n204\n401\n')
  })

  test('the page follows a task in Chromium, with a token, and continues after a reload', async () => {
    await fixture.bundle('examples/browser/page.js', 'examples/browser/page.bundle.js')
    const site = await fixture.start('examples/browser/server.mjs', { ...env(), PORT: String(sitePort) })
    children.push(site.child)
    // It gives no token for all events, and answers others after a request that it cannot answer.
    const statusOf = async (path: string) => (await fetch(`http://127.0.0.1:${sitePort}${path}`)).status
    expect([await statusOf('/token'), await statusOf('//')]).toEqual([400, 500])
    const browser = await chromium.launch({ executablePath: findChromium(), args: CHROMIUM_ARGS })
    try {
      const page = await browser.newPage()
      await page.goto(`http://127.0.0.1:${sitePort}/?task_id=t-page`)
      await postProgress('one')
      await page.waitForSelector('li:has-text("one")', { timeout: 30_000 })
      const hasPosition = () => page.evaluate('localStorage.getItem("position of t-page") !== null')
      await postProgress('two')
      await page.waitForSelector('li:has-text("two")', { timeout: 30_000 })
      await eventually('a position is stored', hasPosition)
      await page.reload()
      await postProgress('three')
      await page.waitForSelector('li:has-text("three")', { timeout: 30_000 })
      // Events finished before the reload are not received again, at most the one in progress.
      expect(await page.locator('li:has-text("one")').count()).toBe(0)
    } finally {
      await browser.close()
    }
  }, 240_000)
})
