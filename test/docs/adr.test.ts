import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'
import { sourceFiles } from '../code/source-files.ts'
import { pages, readPage, relativeLinks, ROOT } from './markdown.ts'

const FILES = readdirSync(join(ROOT, 'docs/adr')).filter((name) => /^\d{4}-/.test(name))
const NUMBERS: ReadonlySet<number> = new Set(FILES.map((name) => Number(name.slice(0, 4))))
const INDEX = readPage('docs/adr/README.md')

describe.each(FILES)('docs/adr/%s', (name) => {
  const lines = readPage(`docs/adr/${name}`).trimEnd().split('\n')

  test('has number, status and the decision in one sentence first', () => {
    const [title = '', , status = '', , ...rest] = lines
    const decision = rest.slice(0, rest.indexOf('')).join(' ')
    expect(title).toMatch(new RegExp(`^# ${Number(name.slice(0, 4))}\\. \\S`))
    expect(status).toMatch(/^Status: (?:accepted|replaced by)\b.*\.$/)
    expect(decision).toMatch(/^\*\*Decision\.\*\* [^\n]+\.$/)
    expect(decision.match(/\.(?: |$)/g)).toHaveLength(1)
  })

  test('is wrapped at 120 characters', () => {
    expect(lines.filter((line) => line.length > 120)).toEqual([])
  })
})

describe('docs/adr/README.md', () => {
  test('lists each decision once', () => {
    const listed = [...INDEX.matchAll(/^- \[(\d+)\]\(([^)]+)\)/gm)].map(([, number, file]) => [Number(number), file])
    const expected = FILES.map((name) => [Number(name.slice(0, 4)), name])
    expect(listed.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(expected)
  })

  test('says where each merged number is', () => {
    const merged = [...INDEX.matchAll(/^\| +(\d+) \| \[(\d+)\]\(([^)]+)\) +\|$/gm)]
    expect(merged.length).toBeGreaterThan(40)
    for (const [, number, into = '', file = ''] of merged) {
      expect(NUMBERS.has(Number(number))).toBe(false)
      expect(FILES).toContain(file)
      expect(Number(file.slice(0, 4))).toBe(Number(into))
    }
  })
})

test('code and pages name only decisions that have a page', () => {
  const texts = [
    ...sourceFiles().map(({ path, text }) => ({ path, text })),
    ...pages().map((path) => ({ path, text: readPage(path) })),
  ]
  const named = texts.flatMap(({ path, text }) =>
    [...text.matchAll(/\bADR (\d+)\b/g)].map(([, number]) => `${path}: ADR ${Number(number)}`),
  )
  expect(named.length).toBeGreaterThan(10)
  expect(named.filter((name) => !NUMBERS.has(Number(/\d+$/.exec(name)?.[0])))).toEqual([])
  expect(relativeLinks(INDEX).length).toBeGreaterThan(FILES.length)
})
