import { readFileSync } from 'node:fs'

/** Written by `npm run generate` from the pages of the repository, and compared with them by a test. */
const FOLDER = new URL('../../assets/guides/', import.meta.url)

/** A guide with its page. */
export interface GuideFile extends GuideEntry {
  readonly markdown: string
  /** The content of `<main>`. */
  readonly html: string
}

interface GuideEntry {
  /** The last segment of its path. */
  readonly name: string
  /** What links call it. */
  readonly label: string
  readonly title: string
  readonly summary: string
  /** Its headings of the second level. */
  readonly sections: readonly { readonly id: string; readonly title: string }[]
}

/**
 * All guides, in the order of their list.
 * @throws Error if a file is not there: the process must not start without it.
 */
export function readGuides(): readonly GuideFile[] {
  const index = JSON.parse(readText('index.json')) as readonly GuideEntry[]
  return index.map((entry) => ({
    ...entry,
    markdown: readText(`${entry.name}.md`),
    html: readText(`${entry.name}.html`),
  }))
}

function readText(name: string): string {
  return readFileSync(new URL(name, FOLDER), 'utf8')
}
