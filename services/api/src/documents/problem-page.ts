import { Problem, problemBody, PROBLEMS } from '@ariftly/http'
import { escapeHtml, renderPage } from './page.ts'

/** What `GET /problems/{code}` answers as JSON. */
export interface ProblemDocument {
  readonly code: string
  readonly title: string
  readonly status: number
  readonly cause: string
  readonly fix: string
  readonly example: object
}

/** Cause, fix and an example of a code; undefined for an unknown one. */
export function problemDocument(code: string): ProblemDocument | undefined {
  const kind = Object.hasOwn(PROBLEMS, code) ? PROBLEMS[code] : undefined
  if (kind === undefined) return undefined
  const { status, title, cause, fix } = kind
  const problem = new Problem(status, code, { detail: cause })
  return { code, title, status, cause, fix, example: problemBody(problem, '/v1/events', EXAMPLE_REQUEST) }
}

const EXAMPLE_REQUEST = 'req_0f8e2c6ad9c14b0c8a4d0a4f7e3b9d15'

/** The same for people. */
export function renderProblemPage({ code, title, status, cause, fix, example }: ProblemDocument): string {
  return renderPage({
    title: `${code}: ${title}`,
    main: `<h1>${escapeHtml(title)}</h1>
      <p><code>${escapeHtml(code)}</code>, HTTP status ${status}</p>
      <h2>Cause</h2>
      <p>${htmlOf(cause)}</p>
      <h2>What to do</h2>
      <p>${htmlOf(fix)}</p>
      <h2>Example</h2>
      <pre>${escapeHtml(JSON.stringify(example, undefined, 2))}</pre>
      ${LINKS}`,
  })
}

/** All problems, for people. */
export function renderProblemsPage(problems: readonly ProblemDocument[]): string {
  const items = problems.map(
    ({ code, status, cause }) =>
      `<li><a href="/problems/${escapeHtml(code)}"><code>${escapeHtml(code)}</code></a> (${status}): ${htmlOf(cause)}</li>`,
  )
  return renderPage({
    title: 'Problems',
    main: `<h1>Problems</h1>
      <p>Every error has a <code>code</code>. These are all of them.</p>
      <ul>
        ${items.join('\n        ')}
      </ul>
      <p><a href="/docs/guides">Guides</a>, <a href="/docs">API reference</a></p>`,
  })
}

/** For a code that does not exist. It does not repeat the code: nothing of a request is on a page. */
export function renderNoProblemPage(): string {
  const main = `<h1>Not found</h1>\n      <p>There is no problem of this code.</p>\n      ${LINKS}`
  return renderPage({ title: 'Not found', main })
}

const LINKS =
  '<p><a href="/problems">All problems</a>, <a href="/docs/guides">guides</a>, <a href="/docs">API reference</a></p>'

/** Text of the catalogue: escaped, with `code` between backticks as an element. */
function htmlOf(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>')
}
