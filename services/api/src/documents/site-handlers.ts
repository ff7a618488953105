import { readFileSync } from 'node:fs'
import { sendJson, type OpenHandler } from '@ariftly/http'
import { sendDocument } from './send-document.ts'

const TEXT = 'text/plain; charset=utf-8'
const DAY_MS = 86_400_000
/** RFC 9116 recommends less than a year. */
const SECURITY_TXT_DAYS = 180

/** Under `/v1` everything needs a key. */
const ROBOTS = 'User-agent: *\nDisallow: /v1/\n'

/** Links of `GET /`, by name. */
const LINKS = {
  docs: '/docs',
  guides: '/docs/guides',
  openapi: '/openapi.json',
  llms: '/llms.txt',
  asyncapi: '/asyncapi.json',
  problems: '/problems',
} as const

/** What is at the root of the host: the index, and the files that browsers, crawlers and security researchers ask for by convention. */
export function createSiteHandlers(o: {
  /** The version of the API. */
  readonly version: string
  readonly securityContact: string
  readonly now: () => number
}): Readonly<Record<'getIndex' | 'getFavicon' | 'getRobots' | 'getSecurityTxt', OpenHandler>> {
  const favicon = readFileSync(new URL('../../assets/favicon.ico', import.meta.url))
  const index = renderIndex(o.version)

  return {
    getIndex(req, res) {
      res.vary('Accept')
      res.setHeader('Cache-Control', 'public, max-age=300')
      if (req.accepts(['json', 'html']) === 'html') res.writeHead(302, { Location: LINKS.docs }).end()
      else sendJson(res, 200, index)
    },
    getFavicon(_req, res) {
      sendDocument(res, 'image/x-icon', favicon, { 'Cache-Control': 'public, max-age=86400' })
    },
    getRobots(_req, res) {
      sendDocument(res, TEXT, ROBOTS, { 'Cache-Control': 'public, max-age=86400' })
    },
    getSecurityTxt(_req, res) {
      sendDocument(res, TEXT, securityTxt(o.securityContact, o.now()), { 'Cache-Control': 'public, max-age=86400' })
    },
  }
}

/** Answer of `GET /`. */
export function renderIndex(version: string): Record<string, unknown> {
  return { object: 'index', name: 'Ariftly Events API', version, links: LINKS }
}

/** https://www.rfc-editor.org/rfc/rfc9116; the text changes once a day. */
function securityTxt(contact: string, nowMs: number): string {
  const expires = new Date((Math.floor(nowMs / DAY_MS) + SECURITY_TXT_DAYS) * DAY_MS)
  // Parsed: a line break in the setting would be a field of its own.
  return `Contact: ${new URL(contact).href}\nExpires: ${expires.toISOString()}\nPreferred-Languages: en\n`
}
