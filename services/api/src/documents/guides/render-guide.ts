import { Marked, type RendererObject, type Tokens } from 'marked'

/** Parts of a guide's page. */
export interface RenderedGuide {
  /** Its first heading, as text. */
  readonly title: string
  /** Its headings of the second level, in order. */
  readonly sections: readonly Section[]
  /** Without scripts and styles; each wide element can be scrolled. */
  readonly html: string
}

/** A heading that can be linked to. */
interface Section {
  readonly id: string
  readonly title: string
}

/** Documents of the same host: their paths between backticks become links. */
const DOCUMENTS: ReadonlySet<string> = new Set([
  '/docs',
  '/docs/guides',
  '/problems',
  '/openapi.json',
  '/asyncapi.json',
  '/llms.txt',
])

/**
 * Renders the Markdown of a guide, with links of the served form.
 * @throws Error for a page that does not begin with a heading, and for HTML in it.
 */
export function renderGuide(markdown: string): RenderedGuide {
  const sections: Section[] = []
  const title = /^# (.+)\n/.exec(markdown)?.[1]
  if (title === undefined) throw new Error(`This guide has no title: ${markdown.slice(0, 80)}`)
  const marked = new Marked({ gfm: true, async: false, renderer: createRenderer(sections) })
  const html = marked.parse(markdown)
  if (typeof html !== 'string') throw new Error('marked has become asynchronous')
  return { title: title.replaceAll('`', ''), sections, html }
}

function createRenderer(sections: Section[]): RendererObject {
  const ids = new Map<string, number>()
  return {
    heading({ tokens, depth, text }: Tokens.Heading) {
      const id = newId(text, ids)
      if (depth === 2) sections.push({ id, title: text.replaceAll('`', '') })
      return `<h${depth} id="${id}">${this.parser.parseInline(tokens)}</h${depth}>\n`
    },
    link({ href, tokens }: Tokens.Link) {
      const page = href.replace(/^(\/docs\/guides\/[\w-]+)\.md/, '$1')
      return `<a href="${escapeHtml(page)}">${this.parser.parseInline(tokens)}</a>`
    },
    codespan({ text }: Tokens.Codespan) {
      const code = `<code>${escapeHtml(text)}</code>`
      return DOCUMENTS.has(text) ? `<a href="${text}">${code}</a>` : code
    },
    code({ text }: Tokens.Code) {
      // In the order of the keyboard, as a reader without a mouse must be able to scroll it.
      return `<pre tabindex="0"><code>${escapeHtml(text)}</code></pre>\n`
    },
    table(token: Tokens.Table) {
      const row = (cells: readonly Tokens.TableCell[], name: 'th' | 'td') =>
        `<tr>${cells.map(({ tokens }) => `<${name}>${this.parser.parseInline(tokens)}</${name}>`).join('')}</tr>\n`
      const rows = token.rows.map((cells) => row(cells, 'td')).join('')
      const table = `<table>\n<thead>\n${row(token.header, 'th')}</thead>\n<tbody>\n${rows}</tbody>\n</table>`
      return `<div class="wide" tabindex="0">\n${table}\n</div>\n`
    },
    html({ raw }: Tokens.HTML | Tokens.Tag) {
      throw new Error(`A guide has no HTML of its own: ${raw}`)
    },
  }
}

/** As GitHub makes them, so that the same fragment works in the repository. */
function newId(text: string, ids: Map<string, number>): string {
  const id = text
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-')
  const count = ids.get(id) ?? 0
  ids.set(id, count + 1)
  return count === 0 ? id : `${id}-${count}`
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
