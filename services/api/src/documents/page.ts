import { PAGE_STYLE } from './page-style.ts'

/** What one page is made of; all but `title` is HTML. */
export interface Page {
  readonly title: string
  readonly main: string
  /** Shown to the left of the content on a wide screen, and above it on a narrow one. */
  readonly aside?: string
}

/** A page of ours, without script. Its links lead to documents of the same host. */
export function renderPage({ title, main, aside }: Page): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <link rel="icon" href="/favicon.ico" />
    <title>${escapeHtml(title)}</title>
    <style>${PAGE_STYLE}</style>
  </head>
  <body>
    <header>
      <a href="/docs/guides">Ariftly Events API</a>
      <nav aria-label="Documents"><a href="/docs/guides">Guides</a> <a href="/docs">Reference</a> <a href="/problems">Problems</a></nav>
    </header>
    <div class="columns${aside === undefined ? '' : ' with-aside'}">
      ${aside === undefined ? '' : `<aside>${aside}</aside>\n      `}<main>
${main}
      </main>
    </div>
  </body>
</html>
`
}

/** Text as HTML. */
export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
