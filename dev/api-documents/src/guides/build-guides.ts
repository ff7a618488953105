import { GUIDES } from './guides.ts'
import { renderGuide } from './render-guide.ts'
import { rewriteLinks } from './rewrite-links.ts'

/**
 * The files of the guides, as the api serves them: `<name>.md` with links of the served form, `<name>.html` (a fragment: the content of
 * `<main>`) and `index.json`, a list of name, label, title, summary and sections.
 * @param read gives the text of a file of the repository, by its path from the root.
 * @throws Error for a page without a title, and for one with HTML of its own.
 */
export function buildGuides(read: (path: string) => string): Readonly<Record<string, string>> {
  const guides = GUIDES.map(({ name, label, source, summary }) => {
    const markdown = rewriteLinks(read(source), source)
    return { name, label, summary, markdown, ...renderGuide(markdown) }
  })
  const index = guides.map(({ name, label, title, summary, sections }) => ({ name, label, title, summary, sections }))
  return {
    'index.json': `${JSON.stringify(index, undefined, 2)}\n`,
    ...Object.fromEntries(
      guides.flatMap(({ name, markdown, html }) => [
        [`${name}.md`, markdown],
        [`${name}.html`, html],
      ]),
    ),
  }
}
