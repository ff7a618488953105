import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { codeSpans, pages, readPage, relativeLinks, ROOT } from './markdown.ts'

const PATH_SPAN = /^(?:(?:packages|services|test|bench|docs|scripts)\/)[\w./-]+$/
const SCRIPTS = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }

describe.each(pages())('%s', (page) => {
  const text = readPage(page)

  test('links only to what exists', () => {
    const broken = relativeLinks(text).filter((target) => !existsSync(join(ROOT, dirname(page), target)))
    expect(broken).toEqual([])
  })

  test('names only files and folders that exist', () => {
    const named = codeSpans(text).filter((span) => PATH_SPAN.test(span))
    expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([])
  })

  test('names only npm scripts that exist', () => {
    const named = [...text.matchAll(/npm run (?:--silent )?([a-z]+)/g)].map((match) => match[1] ?? '')
    expect(named.filter((name) => SCRIPTS.scripts[name] === undefined)).toEqual([])
  })
})

describe('docs/tour.md', () => {
  const stops = tourStops(readPage('docs/tour.md'))

  test('has about ten stops', () => {
    expect(stops.length).toBeGreaterThanOrEqual(8)
    expect(stops.length).toBeLessThanOrEqual(14)
  })

  test.each(stops)('$path has $symbol', ({ path, symbol }) => {
    const source = readFileSync(join(ROOT, path), 'utf8')
    expect(source).toMatch(
      new RegExp(`^(?:export )?(?:async )?(?:function|const|class|interface|type) ${symbol}\\b`, 'm'),
    )
  })
})

/** Headings of the form: 3. [`packages/x/src/y.ts`](../packages/x/src/y.ts): `symbol` */
function tourStops(text: string): readonly { readonly path: string; readonly symbol: string }[] {
  const headings = text.matchAll(/^#+ \d+\. \[`([^`]+)`\]\(([^)]+)\): `([^`]+)`$/gm)
  return [...headings].map(([, path = '', target, symbol = '']) => {
    if (target !== `../${path}`) throw new Error(`the stop ${path} links to ${target}`)
    return { path, symbol }
  })
}
