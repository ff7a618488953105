import type { ServedGuide } from './read-guides.ts'
import { escapeHtml, renderPage } from '../page.ts'

/** One guide, with the list of all guides and of its own sections. */
export function renderGuidePage(guide: ServedGuide, guides: readonly ServedGuide[]): string {
  return renderPage({ title: guide.title, main: guide.html, aside: renderContents(guides, guide) })
}

/** The list of all guides. */
export function renderGuidesPage(guides: readonly ServedGuide[]): string {
  const items = guides.map(
    ({ name, label, summary }) =>
      `<li><a href="/docs/guides/${name}">${escapeHtml(label)}</a>: ${escapeHtml(summary)}.</li>`,
  )
  const main = `<h1>Guides</h1>
<p>How to use the Events API, by task. Each route with its parameters and answers is in the <a href="/docs">reference</a>.</p>
<ul>
${items.join('\n')}
</ul>
<p>For programs: <a href="/llms.txt">/llms.txt</a>, <a href="/openapi.json">/openapi.json</a> and
<a href="/asyncapi.json">/asyncapi.json</a>. Each guide is Markdown for <code>Accept: text/markdown</code>, and at its path with
<code>.md</code>.</p>`
  return renderPage({ title: 'Guides', main })
}

/** The same list as Markdown. */
export function renderGuidesText(guides: readonly ServedGuide[]): string {
  return `# Guides\n\n${guideLinks(guides)}\n`
}

/** A list of Markdown links to the guides as Markdown. */
export function guideLinks(guides: readonly ServedGuide[]): string {
  return guides.map(({ name, label, summary }) => `- [${label}](/docs/guides/${name}.md): ${summary}`).join('\n')
}

/** For a name that no guide has. It does not repeat the name: nothing of a request is on a page. */
export function renderNoGuidePage(): string {
  const main = '<h1>Not found</h1>\n<p>There is no guide of this name. <a href="/docs/guides">All guides</a></p>'
  return renderPage({ title: 'Not found', main })
}

function renderContents(guides: readonly ServedGuide[], shown: ServedGuide): string {
  const items = guides.map(({ name, label }) => {
    const isShown = name === shown.name
    const link = `<a href="/docs/guides/${name}"${isShown ? ' aria-current="page"' : ''}>${escapeHtml(label)}</a>`
    return `<li>${link}${isShown ? renderSections(shown) : ''}</li>`
  })
  return `<nav aria-label="Guides">\n<ul>\n${items.join('\n')}\n</ul>\n</nav>`
}

function renderSections({ sections }: ServedGuide): string {
  const items = sections.map(({ id, title }) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`)
  return `\n<ul>\n${items.join('\n')}\n</ul>\n`
}
