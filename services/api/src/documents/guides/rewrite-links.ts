import { posix } from 'node:path'
import { GUIDES } from './guides.ts'

/**
 * A page of the repository with the links of the served form: those to guides lead to `/docs/guides/<name>.md`, those to other files of
 * the repository, which no installation serves, become text that names the file. Links to other hosts and within the page stay, and so
 * do blocks of code. Comments and pictures are left out.
 */
export function rewriteLinks(markdown: string, source: string): string {
  return splitByBlocks(markdown)
    .map((part) => (part.startsWith('```') ? part : rewriteText(part, posix.dirname(source))))
    .join('')
    .replaceAll(/\n{3,}/g, '\n\n')
}

/** Blocks of code, and the text between them. */
function splitByBlocks(markdown: string): readonly string[] {
  return markdown.split(/(^```[^]*?^```$)/m)
}

function rewriteText(text: string, folder: string): string {
  return text
    .replaceAll(/^<!--[^]*?-->\n/gm, '')
    .replaceAll(/^!\[[^\]]*\]\([^)\s]+\)\n/gm, '')
    .replaceAll(/\[([^\]]+)\]\(([^)\s]+)\)/g, (link: string, label: string, target: string) =>
      /^(?:[a-z]+:|#|\/)/.test(target) ? link : rewriteLink(label, posix.join(folder, target)),
    )
}

function rewriteLink(text: string, target: string): string {
  const [path = '', fragment] = target.split('#')
  // A text that is the file's own name says nothing to who has no files.
  const isFileName = path.endsWith(text.replaceAll('`', ''))
  const guide = GUIDES.find(({ source }) => source === path)
  if (guide === undefined) return isFileName ? `\`${path}\`` : `${text} (\`${path}\` in the repository)`
  return `[${isFileName ? guide.label : text}](/docs/guides/${guide.name}.md${fragment === undefined ? '' : `#${fragment}`})`
}
