import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { ROUTES, sendJson, type OpenHandler, type RouteName } from '@ariftly/http'
import { createGuideHandlers } from './guides/guide-handlers.ts'
import { readGuides } from './guides/read-guides.ts'
import { keptOnce } from './kept-once.ts'
import { renderLlmsText } from './llms-text.ts'
import { readAsyncapi, readOpenapi, readVersion } from './openapi-file.ts'
import { createConsoleHandlers, type ConsoleHandlers } from './console-handlers.ts'
import { problemHandlers } from './problem-handlers.ts'
import { REFERENCE_PAGE, REFERENCE_START } from './reference-page.ts'
import { sendDocument } from './send-document.ts'
import { sendPacked, type PackedFile } from './send-packed.ts'
import { createSiteHandlers } from './site-handlers.ts'

const CACHED = { 'Cache-Control': 'public, max-age=300' } as const

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
  const script = referenceScript()

  return {
    ...createSiteHandlers({ version: readVersion(), securityContact, now }),
    ...problemHandlers,
    ...ofConsole,
    ...createGuideHandlers(guides),
    getOpenapi(_req, res) {
      sendJson(res, 200, openapi, { ...CACHED, 'X-Content-Type-Options': 'nosniff' })
    },
    getAsyncapi(_req, res) {
      sendJson(res, 200, asyncapi, { ...CACHED, 'X-Content-Type-Options': 'nosniff' })
    },
    getLlms(_req, res) {
      sendDocument(res, 'text/plain; charset=utf-8', llms, CACHED)
    },
    getDocs(_req, res) {
      sendDocument(res, 'text/html; charset=utf-8', REFERENCE_PAGE, CACHED)
    },
    getDocsStart(_req, res) {
      sendDocument(res, 'text/javascript; charset=utf-8', REFERENCE_START, CACHED)
    },
    async getDocsScript(req, res) {
      await sendPacked(req, res, script, { 'Cache-Control': 'public, max-age=86400' })
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

/** The script of the reference: 1 MB packed, 3.3 MB plain. */
function referenceScript(): PackedFile {
  const packed = keptOnce(async () => await readFile(new URL('../../assets/reference.js.gz', import.meta.url)))
  const plain = keptOnce(async () => await promisify(gunzip)(await packed()))
  return { type: 'text/javascript; charset=utf-8', packed, plain }
}
