import { readFileSync } from 'node:fs'
import { GUIDES, type Guide } from './guides.ts'
import { renderGuide, type RenderedGuide } from './render-guide.ts'
import { rewriteLinks } from './rewrite-links.ts'

/** The checkout, or the folder of the image that has the same files. */
const ROOT = new URL('../../../../../', import.meta.url)

/** A guide as it is served: `html` is the content of `<main>`. */
export interface ServedGuide extends Guide, RenderedGuide {
  /** With links of the served form. */
  readonly markdown: string
}

/**
 * Reads and renders all guides from their pages, in the order of their list.
 * @throws Error if a page is not there, has no title or has HTML of its own: the process must not start without it.
 */
export function readGuides(): readonly ServedGuide[] {
  return GUIDES.map((guide) => {
    const markdown = rewriteLinks(readFileSync(new URL(guide.source, ROOT), 'utf8'), guide.source)
    return { ...guide, markdown, ...renderGuide(markdown) }
  })
}
