import { pathOf, PROBLEMS, sendJson, type OpenHandler } from '@ariftly/http'
import type { Request } from 'express'
import { problemDocument, renderNoProblemPage, renderProblemPage, renderProblemsPage } from './problem-page.ts'
import { sendDocument } from './send-document.ts'
import { sendNotFound } from './send-not-found.ts'

const HEADERS = { 'Cache-Control': 'public, max-age=300' } as const
const HTML = 'text/html; charset=utf-8'

/** `GET /problems` and `GET /problems/{code}`: a page unless `Accept` prefers JSON. */
export const problemHandlers: Readonly<Record<'listProblems' | 'getProblem', OpenHandler>> = {
  listProblems(req, res) {
    res.vary('Accept')
    const problems = Object.keys(PROBLEMS).flatMap((code) => problemDocument(code) ?? [])
    if (prefersJson(req)) {
      sendJson(res, 200, { object: 'list', data: problems, has_more: false, next_cursor: null }, HEADERS)
    } else sendDocument(res, HTML, renderProblemsPage(problems), HEADERS)
  },
  getProblem(req, res) {
    res.vary('Accept')
    const problem = problemDocument(pathOf(req).split('/').at(-1) ?? '')
    if (problem === undefined) sendNotFound(req, res, NO_PROBLEM)
    else if (prefersJson(req)) sendJson(res, 200, problem, HEADERS)
    else sendDocument(res, HTML, renderProblemPage(problem), HEADERS)
  },
}

const NO_PROBLEM = { page: renderNoProblemPage(), detail: 'There is no problem of this code. All are at /problems.' }

function prefersJson(req: Request): boolean {
  return req.accepts(['html', 'json']) === 'json'
}
