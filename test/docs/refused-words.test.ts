import { expect, test } from '@jest/globals'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { codeSpans, pages, readPage, ROOT } from './markdown.ts'

/** The list itself, and files that are generated from others. */
const EXEMPT = [
  'docs/glossary.md',
  'test/docs/refused-words.test.ts',
  'packages/sdk/src/api-types.ts',
  'services/api/assets/',
]
const FOLDERS = ['bench', 'deploy', 'dev', 'docs', 'examples', 'packages', 'scripts', 'services', 'test']
/** Words that say less than a plain one would: pages have others, source may use them. */
const REFUSED_IN_PAGES =
  /\b(?:besides?|go(?:es)? on|former|stands|nobody|those which|look(?:s|ed|ing)? (?:at|through|after|for)|a look(?!-)|comes?|came|coming|tells?|whichever|turns of the event loop)\b/gi

const section =
  readPage('docs/glossary.md')
    .split(/^## /m)
    .find((text) => text.startsWith('Words that a test refuses\n')) ?? ''
/** Names in code spans that are no path: they may stay. */
const kept = codeSpans(section).filter((span) => /^\w\w+$/.test(span))
const refused = refusedWords(section)
const pattern = new RegExp(`\\b(?:${refused.map(toPattern).join('|')})\\b`, 'gi')

test('the glossary lists the refused words', () => {
  expect(refused).toEqual(expect.arrayContaining(['judge', 'hole', 'farewell', 'is away']))
  expect(kept).toEqual(['log_holes'])
})

test('no file uses a refused word', () => {
  const files = new Set([...pages(), ...FOLDERS.flatMap((folder) => filesIn(folder))])
  const checked = [...files].filter((file) => !EXEMPT.some((start) => file.startsWith(start)))
  expect(checked.length).toBeGreaterThan(500)
  expect(checked.flatMap((file) => wordsIn(readPage(file)).map((word) => `${file}: ${word}`))).toEqual([])
})

test('no page uses a word that says less than another', () => {
  const checked = pages().filter((page) => !EXEMPT.includes(page))
  expect(checked.flatMap((page) => vagueWordsIn(readPage(page)).map((word) => `${page}: ${word}`))).toEqual([])
  expect(vagueWordsIn('It goes on. `goes on` [x](former.md)\n```\nstands\n```\n')).toEqual(['goes on'])
})

test.each([
  ['/** Judges an event. */', ['Judges']],
  ['export function recordHole(): void {}', ['Hole']],
  ['const HOLE_MS = 1', ['HOLE']],
  ['while Kafka is away', ['is away']],
  ['as design 4.1 says', ['design 4']],
  ['INSERT INTO log_holes; a whole keyhole, designs', []],
])('in %s finds %j', (text, words) => {
  expect(wordsIn(text)).toEqual(words)
})

/** Refused words of a text, also as parts of names (`recordHole`, `HOLE_MS`). */
function wordsIn(text: string): readonly string[] {
  const withoutKept = kept.reduce((rest, name) => rest.replaceAll(name, ''), text)
  const spaced = withoutKept.replaceAll(/([a-z\d])([A-Z])/g, '$1 $2').replaceAll('_', ' ')
  return [...spaced.matchAll(pattern)].map(([word]) => word)
}

/** Words of {@link REFUSED_IN_PAGES} outside code and targets of links. */
function vagueWordsIn(text: string): readonly string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$|`[^`\n]+`|\]\([^)]*\)/gm, '')
  return [...prose.matchAll(REFUSED_IN_PAGES)].map(([word]) => word)
}

/** The first column of the section's table. */
function refusedWords(text: string): readonly string[] {
  const rows = [...text.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, cell = '']) => cell)
  return rows.slice(2).flatMap((cell) => cell.split(', '))
}

function toPattern(word: string): string {
  return word.replaceAll(' ', '\\s+').replaceAll('N', '\\d+')
}

/** Source, tests and pages below a folder, from the root of the repository. */
function filesIn(folder: string): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : filesIn(path)
    return /\.(?:ts|tsx|mjs|md)$/.test(entry.name) ? [path] : []
  })
}
