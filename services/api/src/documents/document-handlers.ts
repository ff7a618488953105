import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { readQuery, ROUTES, sendJson, type OpenHandler, type RouteName } from '@ariftly/http'
import { acceptsGzip } from './accepts-gzip.ts'
import { readGuides } from './guide-files.ts'
import { createGuideHandlers } from './guide-handlers.ts'
import { keptOnce } from './kept-once.ts'
import { renderLlmsText } from './llms-text.ts'
import { readAsyncapi, readOpenapi, readVersion } from './openapi-file.ts'
import { createConsoleHandlers, type ConsoleHandlers } from './console-handlers.ts'
import { problemHandlers } from './problem-handlers.ts'
import { REFERENCE_PAGE, REFERENCE_START } from './reference-page.ts'
import { sendDocument } from './send-document.ts'
import { createSiteHandlers } from './site-handlers.ts'

/** The routes of this file, for `createExpressApp`. */
export type DocumentHandlers = Readonly<Record<(typeof OWN)[number], OpenHandler>> & Partial<ConsoleHandlers>

/** What the documents say of the installation. */
export interface DocumentOptions {
  /** A URL, `https:` or `mailto:`. */
  readonly securityContact: string
  /** Folder of the built console; undefined when it is not served. */
  readonly console?: string | undefined
  /** Epoch milliseconds; default: the clock of the system. */
  readonly now?: () => number
}

/**
 * Makes the handlers of all documents that need no key: index, reference, guides, problems, machine-readable descriptions and what crawlers ask for.
 * @param served names of the api's routes that have a handler: the document holds no others of this service.
 */
export function createDocumentHandlers(served: readonly string[], options: DocumentOptions): DocumentHandlers {
  const { securityContact, now = Date.now } = options
  const ofConsole = options.console === undefined ? undefined : createConsoleHandlers(options.console)
  const names: ReadonlySet<string> = new Set<string>([...served, ...OWN, ...Object.keys(ofConsole ?? {})])
  const openapi = readOpenapi(names, now())
  const asyncapi = readAsyncapi()
  const guides = readGuides()
  const routes = ROUTES.filter(({ name, service }) => service !== 'api' || names.has(name))
  const llms = renderLlmsText(routes, guides)
  const script = createScriptReader()

  return {
    ...createSiteHandlers({ version: readVersion(), securityContact, now }),
    ...problemHandlers,
    ...ofConsole,
    ...createGuideHandlers(guides),
    getOpenapi(req, res) {
      readQuery(req.originalUrl, {})
      sendJson(res, 200, openapi, { 'Cache-Control': 'public, max-age=300', 'X-Content-Type-Options': 'nosniff' })
    },
    getAsyncapi(req, res) {
      readQuery(req.originalUrl, {})
      sendJson(res, 200, asyncapi, { 'Cache-Control': 'public, max-age=300', 'X-Content-Type-Options': 'nosniff' })
    },
    getLlms(req, res) {
      readQuery(req.originalUrl, {})
      sendDocument(res, 'text/plain; charset=utf-8', llms, { 'Cache-Control': 'public, max-age=300' })
    },
    getDocs(req, res) {
      readQuery(req.originalUrl, {})
      sendDocument(res, 'text/html; charset=utf-8', REFERENCE_PAGE, { 'Cache-Control': 'public, max-age=300' })
    },
    getDocsStart(req, res) {
      readQuery(req.originalUrl, {})
      sendDocument(res, 'text/javascript; charset=utf-8', REFERENCE_START, { 'Cache-Control': 'public, max-age=300' })
    },
    async getDocsScript(req, res) {
      readQuery(req.originalUrl, {})
      res.vary('Accept-Encoding')
      const packed = acceptsGzip(req.headers['accept-encoding'])
      sendDocument(res, 'text/javascript; charset=utf-8', packed ? await script.packed() : await script.plain(), {
        'Cache-Control': 'public, max-age=86400',
        ...(packed ? { 'Content-Encoding': 'gzip' } : {}),
      })
    },
  }
}

const OWN = [
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
