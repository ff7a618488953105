import { Problem, problemBody, PROBLEMS } from '@ariftly/http'

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
  const problem = new Problem(status, code, { title, detail: cause })
  return { code, title, status, cause, fix, example: problemBody(problem, '/v1/events', EXAMPLE_REQUEST) }
}

const EXAMPLE_REQUEST = 'req_0f8e2c6ad9c14b0c8a4d0a4f7e3b9d15'

/** The same for people. Every text is ours; it is escaped all the same. */
export function renderProblemPage({ code, title, status, cause, fix, example }: ProblemDocument): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="data:," />
    <title>${escapeHtml(`${code}: ${title}`)}</title>
    <style>body { font: 1rem/1.5 system-ui, sans-serif; max-width: 42rem; margin: 2rem auto; padding: 0 1rem; }</style>
  </head>
  <body>
    <h1>${escapeHtml(title)}</h1>
    <p><code>${escapeHtml(code)}</code>, HTTP status ${status}</p>
    <h2>Cause</h2>
    <p>${escapeHtml(cause)}</p>
    <h2>What to do</h2>
    <p>${escapeHtml(fix)}</p>
    <h2>Example</h2>
    <pre>${escapeHtml(JSON.stringify(example, undefined, 2))}</pre>
    <p><a href="/docs">API reference</a></p>
  </body>
</html>
`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
