import { pathOf, Problem, PROBLEMS, readQuery, sendJson, type OpenHandler } from '@ariftly/http'
import type { Request } from 'express'
import { problemDocument, renderNoProblemPage, renderProblemPage, renderProblemsPage } from './problem-page.ts'
import { sendDocument } from './send-document.ts'

const HEADERS = { 'Cache-Control': 'public, max-age=300' } as const
const HTML = 'text/html; charset=utf-8'

/** `GET /problems` and `GET /problems/{code}`: a page unless `Accept` prefers JSON. */
export const problemHandlers: Readonly<Record<'listProblems' | 'getProblem', OpenHandler>> = {
  listProblems(req, res) {
    readQuery(req.originalUrl, {})
    res.vary('Accept')
    const problems = Object.keys(PROBLEMS).flatMap((code) => problemDocument(code) ?? [])
    if (prefersJson(req)) {
      sendJson(res, 200, { object: 'list', data: problems, has_more: false, next_cursor: null }, HEADERS)
    } else sendDocument(res, HTML, renderProblemsPage(problems), HEADERS)
  },
  getProblem(req, res) {
    readQuery(req.originalUrl, {})
    res.vary('Accept')
    const problem = problemDocument(pathOf(req).split('/').at(-1) ?? '')
    if (problem !== undefined) {
      if (prefersJson(req)) sendJson(res, 200, problem, HEADERS)
      else sendDocument(res, HTML, renderProblemPage(problem), HEADERS)
      return
    }
    // Errors are problems for all that do not ask for a page by name.
    if (req.accepts(['json', 'html']) !== 'html') {
      throw new Problem(404, 'not_found', { detail: 'There is no problem of this code. All are at /problems.' })
    }
    sendDocument(res, HTML, renderNoProblemPage(), { 'Cache-Control': 'no-store' }, 404)
  },
}

function prefersJson(req: Request): boolean {
  return req.accepts(['html', 'json']) === 'json'
}
