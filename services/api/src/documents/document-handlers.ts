import { readFile } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { pathOf, Problem, readQuery, ROUTES, sendJson, type OpenHandler, type RouteName } from '@ariftly/http'
import { renderLlmsText } from './llms-text.ts'
import { readAsyncapi, readOpenapi } from './openapi-file.ts'
import { problemDocument, renderProblemPage } from './problem-page.ts'
import { REFERENCE_PAGE } from './reference-page.ts'

/** The routes of this file, for `createExpressApp`. */
export type DocumentHandlers = Readonly<Record<(typeof OWN)[number], OpenHandler>>

/**
 * Nothing on the page comes from elsewhere or goes elsewhere. The reference styles itself inline; its script is a file of ours.
 * https://www.w3.org/TR/CSP3/
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "font-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const SECURITY_HEADERS = {
  'Content-Security-Policy': POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), geolocation=(), microphone=()',
} as const

/**
 * Makes the handlers of `/openapi.json`, `/asyncapi.json`, `/problems/{code}`, `/llms.txt`, `/docs` and the page's script.
 * @param served names of the api's routes that have a handler: the document holds no others of this service.
 */
export function createDocumentHandlers(served: readonly string[], nowMs: number = Date.now()): DocumentHandlers {
  const names: ReadonlySet<string> = new Set<string>([...served, ...OWN])
  const openapi = readOpenapi(names, nowMs)
  const asyncapi = readAsyncapi()
  const llms = renderLlmsText(ROUTES.filter(({ name, service }) => service !== 'api' || names.has(name)))
  const script = createScriptReader()

  return {
    getOpenapi(req, res) {
      readQuery(req.originalUrl, {})
      sendJson(res, 200, openapi, { 'Cache-Control': 'public, max-age=300', 'X-Content-Type-Options': 'nosniff' })
    },
    getAsyncapi(req, res) {
      readQuery(req.originalUrl, {})
      sendJson(res, 200, asyncapi, { 'Cache-Control': 'public, max-age=300', 'X-Content-Type-Options': 'nosniff' })
    },
    getProblem(req, res) {
      readQuery(req.originalUrl, {})
      const problem = problemDocument(pathOf(req).split('/').at(-1) ?? '')
      if (problem === undefined) throw new Problem(404, 'not_found', { detail: 'There is no problem of this code.' })
      res.vary('Accept')
      const headers = { 'Cache-Control': 'public, max-age=300' }
      if (req.accepts(['html', 'json']) === 'json') sendJson(res, 200, Buffer.from(JSON.stringify(problem)), headers)
      else send(res, 'text/html; charset=utf-8', renderProblemPage(problem), headers)
    },
    getLlms(req, res) {
      readQuery(req.originalUrl, {})
      send(res, 'text/plain; charset=utf-8', llms, { 'Cache-Control': 'public, max-age=300' })
    },
    getDocs(req, res) {
      readQuery(req.originalUrl, {})
      send(res, 'text/html; charset=utf-8', REFERENCE_PAGE, { 'Cache-Control': 'public, max-age=300' })
    },
    async getDocsScript(req, res) {
      readQuery(req.originalUrl, {})
      res.vary('Accept-Encoding')
      const packed = acceptsGzip(req.headers['accept-encoding'])
      send(res, 'text/javascript; charset=utf-8', packed ? await script.packed() : await script.plain(), {
        'Cache-Control': 'public, max-age=86400',
        ...(packed ? { 'Content-Encoding': 'gzip' } : {}),
      })
    },
  }
}

const OWN = [
  'getOpenapi',
  'getAsyncapi',
  'getProblem',
  'getLlms',
  'getDocs',
  'getDocsScript',
] as const satisfies readonly RouteName[]

interface ScriptReader {
  packed(): Promise<Buffer>
  plain(): Promise<Buffer>
}

/** Reads the script when it is first asked for and keeps both forms (1 and 3.3 MB): answers share the bytes, however many are under way. */
function createScriptReader(): ScriptReader {
  const packed = keptOnce(async () => await readFile(new URL('../../assets/reference.js.gz', import.meta.url)))
  const plain = keptOnce(async () => await promisify(gunzip)(await packed()))
  return { packed, plain }
}

/** Reads once, for all who ask; what failed is read again. */
function keptOnce<T>(read: () => Promise<T>): () => Promise<T> {
  let kept: Promise<T> | undefined
  return async () => {
    kept ??= read()
    try {
      return await kept
    } catch (error) {
      kept = undefined
      throw error
    }
  }
}

function acceptsGzip(header: string | undefined): boolean {
  return /(^|,)\s*(gzip|\*)\s*(;\s*q=(?!0(\.0+)?\s*(,|$))|,|$)/i.test(header ?? '')
}

function send(
  res: ServerResponse,
  type: string,
  body: string | Buffer,
  headers: Readonly<Record<string, string>>,
): void {
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  for (const [name, value] of Object.entries({ ...SECURITY_HEADERS, ...headers })) res.setHeader(name, value)
  res.setHeader('Content-Type', type)
  res.setHeader('Content-Length', bytes.length)
  res.statusCode = 200
  res.end(bytes)
}
