import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildGuides, GUIDES } from '@ariftly/api-documents'
import { describe, expect, test } from '@jest/globals'
import { readPage, ROOT } from '../docs/markdown.ts'

const FOLDER = join(ROOT, 'services/api/assets/guides')
const DOCUMENTS = ['/docs', '/docs/guides', '/problems', '/openapi.json', '/asyncapi.json', '/llms.txt']
const files = buildGuides(readPage)

if (process.env['UPDATE_DOCS'] === '1') {
  mkdirSync(FOLDER, { recursive: true })
  for (const [name, text] of Object.entries(files)) writeFileSync(join(FOLDER, name), text)
}

describe('services/api/assets/guides', () => {
  test.each(Object.keys(files))('%s is what its page says (write it again: npm run generate)', (name) => {
    expect(readFileSync(join(FOLDER, name), 'utf8')).toBe(files[name])
  })

  test('has nothing else', () => {
    expect(readdirSync(FOLDER).toSorted()).toEqual(Object.keys(files).toSorted())
  })
})

describe.each(GUIDES)('the guide $name', ({ name }) => {
  const html = files[`${name}.html`] ?? ''
  const markdown = files[`${name}.md`] ?? ''

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
  const text = path === '' ? page : files[`${name}.html`]
  return text !== undefined && (fragment === undefined || text.includes(` id="${fragment}"`))
}
