import { pathOf, type OpenHandler } from '@ariftly/http'
import type { Request } from 'express'
import type { ServedGuide } from './read-guides.ts'
import { renderGuidePage, renderGuidesPage, renderGuidesText, renderNoGuidePage } from './guide-page.ts'
import { sendDocument } from '../send-document.ts'
import { sendNotFound } from '../send-not-found.ts'

const HEADERS = { 'Cache-Control': 'public, max-age=300' } as const
const HTML = 'text/html; charset=utf-8'
const MARKDOWN = 'text/markdown; charset=utf-8'

/** `GET /docs/guides` and `GET /docs/guides/{name}`: a page unless `Accept` prefers Markdown or the name ends with `.md`. */
export function createGuideHandlers(
  guides: readonly ServedGuide[],
): Readonly<Record<'listGuides' | 'getGuide', OpenHandler>> {
  const list = { page: renderGuidesPage(guides), markdown: renderGuidesText(guides) }
  const byName = new Map(
    guides.map((guide) => [guide.name, { page: renderGuidePage(guide, guides), markdown: guide.markdown }] as const),
  )

  return {
    listGuides(req, res) {
      res.vary('Accept')
      if (prefersMarkdown(req)) sendDocument(res, MARKDOWN, list.markdown, HEADERS)
      else sendDocument(res, HTML, list.page, HEADERS)
    },
    getGuide(req, res) {
      res.vary('Accept')
      const [, name = '', extension] = /^(.*?)(\.md)?$/.exec(pathOf(req).split('/').at(-1) ?? '') ?? []
      const guide = byName.get(name)
      if (guide === undefined) sendNotFound(req, res, NO_GUIDE)
      else if (extension !== undefined || prefersMarkdown(req)) sendDocument(res, MARKDOWN, guide.markdown, HEADERS)
      else sendDocument(res, HTML, guide.page, HEADERS)
    },
  }
}

const NO_GUIDE = { page: renderNoGuidePage(), detail: 'There is no guide of this name. All are at /docs/guides.' }

function prefersMarkdown(req: Request): boolean {
  return req.accepts(['html', 'text/markdown']) === 'text/markdown'
}
