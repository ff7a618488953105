import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The root of the repository. */
export const ROOT = join(import.meta.dirname, '../..')

/** Every Markdown page that people read: paths relative to the root. */
export function pages(): readonly string[] {
  const docs = readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
  const inDocs = docs.filter((path) => path.endsWith('.md')).map((path) => `docs/${path}`)
  return [
    'README.md',
    'CONTRIBUTING.md',
    'SUPPORT.md',
    'packages/sdk/README.md',
    'packages/sdk-python/README.md',
    'bench/NOTES.md',
    ...inDocs,
  ]
}

/** The text of a page. */
export function readPage(page: string): string {
  return readFileSync(join(ROOT, page), 'utf8')
}

/** The contents of a page's fenced blocks of a language, in order. */
export function fencedBlocks(text: string, language: string): readonly string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    (match) => match[1] ?? '',
  )
}

/** Targets of a page's relative links, without fragments. */
export function relativeLinks(text: string): readonly string[] {
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1] ?? '')
  return targets.filter((target) => !/^[a-z]+:|^#/.test(target)).map((target) => target.split('#')[0] ?? '')
}

/** A page's links to headings: the path, empty for the page itself, and the heading's anchor. */
export function headingLinks(text: string): readonly { readonly path: string; readonly anchor: string }[] {
  const links = text.matchAll(/\]\((?![a-z]+:)([^)\s#]*)#([^)\s]+)\)/g)
  return [...links].map(([, path = '', anchor = '']) => ({ path, anchor }))
}

/** Anchors of a page's headings, as GitHub makes them: lower case, blanks as `-`, without other signs. */
export function anchorsOf(text: string): readonly string[] {
  const headings = text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.+)$/gm)
  return [...headings].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

/** Every `code span` of a page, fenced blocks left out. */
export function codeSpans(text: string): readonly string[] {
  return [...text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/`([^`\n]+)`/g)].map((match) => match[1] ?? '')
}
