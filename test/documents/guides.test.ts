import { readGuides } from '@ariftly/api-documents'
import { describe, expect, test } from '@jest/globals'

const DOCUMENTS = ['/docs', '/docs/guides', '/problems', '/openapi.json', '/asyncapi.json', '/llms.txt']
const guides = readGuides()

describe.each(guides)('the guide $name', ({ html, markdown }) => {
  test('has links to guides, documents and headings that there are, and to standards', () => {
    const targets = [...html.matchAll(/href="([^"]+)"/g)].map(([, target = '']) => target)
    const own = targets.filter((target) => !target.startsWith('https://'))
    expect(own.filter((target) => !isServed(target, html))).toEqual([])
    expect(html).not.toMatch(/<(?:script|style|iframe|img)|\son\w+=/)
  })

  test('has no Markdown link that works only in the repository', () => {
    const text = markdown.replaceAll(/^```[^]*?^```$/gm, '')
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target)
    expect(targets.filter((target) => !/^(?:https:\/\/|#|\/docs\/guides\/[\w-]+\.md)/.test(target))).toEqual([])
    expect(markdown).not.toContain('<!--')
  })
})

/** Whether an installation has what a link of a guide leads to. */
function isServed(target: string, page: string): boolean {
  const [path = '', fragment] = target.split('#')
  if (DOCUMENTS.includes(path)) return fragment === undefined
  const name = /^\/docs\/guides\/([\w-]+)$/.exec(path)?.[1]
  const text = path === '' ? page : guides.find((guide) => guide.name === name)?.html
  return text !== undefined && (fragment === undefined || text.includes(` id="${fragment}"`))
}
