import { createHash } from 'node:crypto'
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { matchRoute } from '@ariftly/http'
import type { AnswerToCheck } from './check-response.ts'

/** Answers of one route and status that are recorded in a process: more of them say nothing new. */
const ALIKE_MAX = 20

const known = new Set<string>()
const counts = new Map<string, number>()

/**
 * Records a JSON answer for the independent checker, which validates the answers of all tests when they have ended
 * (`test/jest/teardown.mjs`). Answers of unknown routes are not recorded: the document does not have them.
 */
export function recordAnswer(answer: AnswerToCheck): void {
  const { method, path, status, contentType, body } = answer
  const folder = process.env['ARIFTLY_TEST_DIR']
  const found = matchRoute(method, path.split('?')[0] ?? '')
  const isJson = /^application\/(problem\+)?json/.test(contentType ?? '')
  if (folder === undefined || !isJson || found === undefined || !('route' in found)) return
  const kind = `${found.route.name} ${status}`
  const name = createHash('sha256').update(`${kind} ${body}`).digest('base64')
  const count = counts.get(kind) ?? 0
  if (known.has(name) || count >= ALIKE_MAX) return
  known.add(name)
  counts.set(kind, count + 1)
  mkdirSync(join(folder, 'answers'), { recursive: true })
  const line = JSON.stringify({ method, path, status, contentType, body })
  appendFileSync(join(folder, 'answers', `${process.pid}.ndjson`), `${line}\n`)
}
