import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer, type RequestListener, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { request } from 'node:http'
import { PROBLEMS, ROUTES, serveHttp } from '@ariftly/http'
import { createExpressApp } from '@ariftly/http/express'
import { createLogger, createMetrics } from '@ariftly/runtime'
import { eventually } from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createDocumentHandlers } from './document-handlers.ts'
import { EXAMPLE_DAY } from './openapi-file.ts'

const ASSETS = new URL('../../assets/', import.meta.url)

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'

const log = createLogger({ service: 'api', level: 'silent' })
let listener: RequestListener
let server: Server
let base: string

beforeAll(async () => {
  listener = createExpressApp({
    log,
    metrics: createMetrics(),
    auth: { authenticate: () => Promise.reject(new Error('No key is asked for here.')) },
    routes: {},
    open: createDocumentHandlers(['listEvents'], { securityContact: 'mailto:a@example.com\nX: y' }),
  })
  server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(async () => {
  await new Promise((resolve) => server.close(resolve))
})

const componentsOf = (text: string) => (JSON.parse(text) as { components: object }).components

describe('the documents', () => {
  test('are the published file, with the times of its examples in the last days', async () => {
    const published = readFileSync(new URL('../../../../schemas/openapi.json', import.meta.url), 'utf8')
    expect(published).toContain(EXAMPLE_DAY)
    const served = await (await fetch(`${base}/openapi.json`)).text()
    expect(served).not.toContain(EXAMPLE_DAY)
    expect(componentsOf(served)).toEqual(componentsOf(published))
  })

  test('hold the routes that are served and those of the other services, and no others', async () => {
    const response = await fetch(`${base}/openapi.json`)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    const { paths } = (await response.json()) as { paths: Record<string, Record<string, { operationId: string }>> }
    const names = Object.values(paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    )
    const elsewhere = ROUTES.filter(({ service }) => service !== 'api').map(({ name }) => name)
    expect(names.toSorted()).toEqual(
      [
        'listEvents',
        'getIndex',
        'getOpenapi',
        'getAsyncapi',
        'listProblems',
        'getProblem',
        'getLlms',
        'getDocs',
        'getDocsScript',
        'getDocsStart',
        'listGuides',
        'getGuide',
        'getFavicon',
        'getRobots',
        'getSecurityTxt',
        ...elsewhere,
      ].toSorted(),
    )
  })

  test('have the AsyncAPI document of the topics', async () => {
    const response = await fetch(`${base}/asyncapi.json`)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(await response.json()).toMatchObject({ asyncapi: '3.0.0', channels: { events: {}, deadLetters: {} } })
    expect((await fetch(`${base}/asyncapi.json?x=1`)).status).toBe(400)
  })

  test.each([
    [undefined, 'text/html'],
    ['*/*', 'text/html'],
    ['text/html,application/json;q=0.5', 'text/html'],
    ['application/json', 'application/json'],
  ])('explain a problem, for Accept %s as %s', async (accept, type) => {
    const response = await fetch(`${base}/problems/quota_exceeded`, { headers: accept === undefined ? {} : { accept } })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, `${type}; charset=utf-8`])
    expect(response.headers.get('vary')).toBe('Accept')
    const text = await response.text()
    if (type === 'text/html') expect(text).toMatch(/<code>quota_exceeded<\/code>, HTTP status 429/)
    else
      expect(JSON.parse(text)).toEqual({
        code: 'quota_exceeded',
        title: expect.any(String),
        status: 429,
        cause: expect.any(String),
        fix: expect.any(String),
        example: expect.objectContaining({ code: 'quota_exceeded', type: '/problems/quota_exceeded' }),
      })
  })

  describe.each(['no_such_code', 'constructor', '%3Cscript%3E'])('know no problem %s', (code) => {
    test.each(['*/*', 'application/json', 'application/problem+json'])(
      'and say so as a problem to %s',
      async (accept) => {
        const response = await fetch(`${base}/problems/${code}`, { headers: { accept } })
        expect([response.status, response.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
        expect(response.headers.get('vary')).toBe('Accept')
        expect(await response.json()).toMatchObject({ code: 'not_found', detail: expect.stringContaining('/problems') })
      },
    )

    test('and say so to browsers on a page, which has nothing of the request', async () => {
      const response = await fetch(`${base}/problems/${code}`, { headers: { accept: BROWSER } })
      expect([response.status, response.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
      expect(response.headers.get('cache-control')).toBe('no-store')
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
      const page = await response.text()
      expect(page).toContain('href="/problems"')
      expect(page).not.toContain(decodeURIComponent(code))
    })
  })

  test('have guides as pages, each with the list of all, and nothing that runs', async () => {
    const page = await (await fetch(`${base}/docs/guides`)).text()
    const links = [...page.matchAll(/<li><a href="(\/docs\/guides\/[\w-]+)"/g)].map(([, link = '']) => link)
    expect(links).toEqual(
      ['producing', 'streaming', 'webhooks', 'kafka', 'tenants-and-keys', 'sdk', 'sdk-python'].map(
        (name) => `/docs/guides/${name}`,
      ),
    )
    for (const link of links) {
      const response = await fetch(base + link, { headers: { accept: BROWSER } })
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
      expect([response.headers.get('vary'), response.headers.get('cache-control')]).toEqual([
        'Accept',
        'public, max-age=300',
      ])
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'")
      const guide = await response.text()
      expect(guide).toContain(`<a href="${link}" aria-current="page">`)
      expect(guide).not.toContain('<script')
    }
  })

  test.each([
    ['/docs/guides/webhooks.md', '*/*'],
    ['/docs/guides/webhooks', 'text/markdown'],
    ['/docs/guides/webhooks', 'text/markdown, text/html;q=0.9, */*;q=0.8'],
    ['/docs/guides', 'text/markdown'],
  ])('have guides as Markdown: %s for Accept %s', async (path, accept) => {
    const response = await fetch(base + path, { headers: { accept } })
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/markdown; charset=utf-8'])
    expect(await response.text()).toMatch(/^# /)
  })

  test.each(['none', 'webhooks.html', '..%2Findex', 'index', 'constructor'])('have no guide %s', async (name) => {
    const problem = await fetch(`${base}/docs/guides/${name}`, { headers: { accept: '*/*' } })
    expect([problem.status, problem.headers.get('content-type')]).toEqual([404, 'application/problem+json'])
    const page = await fetch(`${base}/docs/guides/${name}`, { headers: { accept: BROWSER } })
    expect([page.status, page.headers.get('content-type')]).toEqual([404, 'text/html; charset=utf-8'])
    expect(await page.text()).toContain('href="/docs/guides"')
  })

  test('list all problems as JSON, each equal to its own document', async () => {
    const headers = { accept: 'application/json' }
    const response = await fetch(`${base}/problems`, { headers })
    expect(response.headers.get('vary')).toBe('Accept')
    const list = (await response.json()) as { data: { code: string }[] }
    expect(list).toMatchObject({ object: 'list', has_more: false, next_cursor: null })
    expect(list.data.map(({ code }) => code)).toEqual(Object.keys(PROBLEMS))
    const [first] = list.data
    expect(await (await fetch(`${base}/problems/${first?.code}`, { headers })).json()).toEqual(first)
  })

  test.each([undefined, '*/*', BROWSER])('list all problems as a page of links, for Accept %s', async (accept) => {
    const response = await fetch(`${base}/problems`, { headers: accept === undefined ? {} : { accept } })
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const page = await response.text()
    const links = [...page.matchAll(/href="\/problems\/(\w+)"/g)].map(([, code]) => code)
    expect(links).toEqual(Object.keys(PROBLEMS))
    expect(page).toContain('<main>')
    expect(page).not.toContain('`')
  })

  test.each([undefined, '*/*', 'application/json', 'application/xml'])(
    'have an index, for Accept %s',
    async (accept) => {
      const response = await fetch(`${base}/`, { redirect: 'manual', headers: accept === undefined ? {} : { accept } })
      expect([response.status, response.headers.get('vary')]).toEqual([200, 'Accept'])
      const index = (await response.json()) as { version: string; links: Record<string, string> }
      const { info } = (await (await fetch(`${base}/openapi.json`)).json()) as { info: { version: string } }
      expect(index).toMatchObject({ object: 'index', name: 'Ariftly Events API', version: info.version })
      const paths = Object.values(index.links)
      expect(paths.toSorted()).toEqual(
        ['/docs', '/docs/guides', '/asyncapi.json', '/llms.txt', '/openapi.json', '/problems'].toSorted(),
      )
      for (const path of paths) expect((await fetch(base + path)).status).toBe(200)
    },
  )

  test.each(['text/html', BROWSER])('send browsers from the root to the reference: %s', async (accept) => {
    const response = await fetch(`${base}/`, { redirect: 'manual', headers: { accept } })
    expect([response.status, response.headers.get('location')]).toEqual([302, '/docs'])
    expect(response.headers.get('vary')).toBe('Accept')
  })

  test('have an icon, which their pages name', async () => {
    const response = await fetch(`${base}/favicon.ico`)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'image/x-icon'])
    const icon = Buffer.from(await response.arrayBuffer())
    // Type 1 (icon), one image, a PNG.
    expect([icon.readUInt16LE(2), icon.readUInt16LE(4), icon.toString('latin1', 23, 26)]).toEqual([1, 1, 'PNG'])
    for (const path of ['/docs', '/problems', '/problems/not_found'])
      expect(await (await fetch(base + path)).text()).toContain('<link rel="icon" href="/favicon.ico" />')
  })

  test('keep crawlers from what needs a key', async () => {
    const response = await fetch(`${base}/robots.txt`)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await response.text()).toBe('User-agent: *\nDisallow: /v1/\n')
  })

  test('say where to report a vulnerability, for the next half year, one field a line', async () => {
    const response = await fetch(`${base}/.well-known/security.txt`)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const fields = (await response.text()).trimEnd().split('\n')
    expect(fields.map((line) => line.split(': ')[0])).toEqual(['Contact', 'Expires', 'Preferred-Languages'])
    expect(fields[0]).toBe('Contact: mailto:a@example.comX: y')
    const days = (Date.parse(fields[1]?.slice('Expires: '.length) ?? '') - Date.now()) / 86_400_000
    expect(days).toBeGreaterThan(170)
    expect(days).toBeLessThan(365)
  })

  test('are named by a 404 of a path without a route', async () => {
    const response = await fetch(`${base}/v1/nothing`, { headers: { accept: BROWSER } })
    expect(response.status).toBe(404)
    expect(await response.json()).toMatchObject({ code: 'not_found', detail: expect.stringContaining('/docs') })
  })

  test('give language models all routes, types and codes', async () => {
    const response = await fetch(`${base}/llms.txt`)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const text = await response.text()
    for (const part of ['`GET /v1/events`', '(/docs/guides/webhooks.md)', '`task.progress`', '`quota_exceeded` (429)'])
      expect(text).toContain(part)
  })

  test('are shown by a page that loads nothing from elsewhere and may not', async () => {
    const response = await fetch(`${base}/docs`)
    const page = await response.text()
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    expect(page).not.toMatch(/https?:\/\//)
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'none'")
    expect(response.headers.get('x-content-type-options')).toBe('nosniff')
    for (const [, source = ''] of page.matchAll(/(?:src|data-url|href)="(\/[^"]+)"/g)) {
      expect((await fetch(base + source)).status).toBe(200)
    }
  })

  test('are shown by the very script that was fetched from its package', async () => {
    const origin = JSON.parse(readFileSync(new URL('reference.json', ASSETS), 'utf8')) as { sha256: string }
    const script = Buffer.from(await (await fetch(`${base}/docs/reference.js`)).arrayBuffer())
    expect(createHash('sha256').update(script).digest('hex')).toBe(origin.sha256)
  })

  test.each([
    ['gzip', 'gzip'],
    ['br, gzip;q=0.8', 'gzip'],
    ['*', 'gzip'],
    ['br', undefined],
    ['gzip;q=0', undefined],
    [undefined, undefined],
  ])('send the script packed only to who takes it so: %s', async (accepted, encoding) => {
    const headers = await headersOf('/docs/reference.js', accepted === undefined ? {} : { 'accept-encoding': accepted })
    expect(headers['content-encoding']).toBe(encoding)
    expect(headers.vary).toBe('Accept-Encoding')
  })

  test('are the same bytes for all who ask for the plain script and read nothing, and others are served meanwhile', async () => {
    const before = process.memoryUsage().arrayBuffers
    const served = await serveHttp({ name: 'test', host: '127.0.0.1', port: 0, listener, log })
    const sockets = Array.from({ length: 100 }, () => connect(served.port, '127.0.0.1').pause())
    let answered = 0
    for (const socket of sockets) {
      socket.on('error', () => {}).once('readable', () => (answered += 1))
      socket.once('close', () => (answered += 1))
      socket.write('GET /docs/reference.js HTTP/1.1\r\nHost: x\r\n\r\n')
    }
    let peak = 0
    await eventually('all sockets are answered', () => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before)
      return answered >= sockets.length
    })
    // Unpacked for each it would be 330 MB.
    expect(peak).toBeLessThan(60_000_000)
    expect((await fetch(`http://127.0.0.1:${served.port}/llms.txt`)).status).toBe(200)
    for (const socket of sockets) socket.destroy()
    await served.close(0)
  })

  test('take no parameter', async () => {
    expect((await fetch(`${base}/docs?theme=dark`)).status).toBe(400)
  })
})

async function headersOf(path: string, headers: Record<string, string>) {
  return await new Promise<import('node:http').IncomingHttpHeaders>((resolve, reject) => {
    request(base + path, { method: 'HEAD', headers }, (response) => {
      response.resume()
      resolve(response.headers)
    })
      .on('error', reject)
      .end()
  })
}
