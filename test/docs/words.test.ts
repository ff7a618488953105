import { expect, describe, test } from '@jest/globals'
import { pages, readPage } from './markdown.ts'

/** Words that say less than a plain one would, with what to write instead. */
const INSTEAD: readonly (readonly [word: RegExp, instead: string])[] = [
  [/\b(?:whatever|whoever)\b/i, 'any'],
  [/\bbesides?\b/i, 'with, in parallel, in addition to'],
  [/\banew\b/i, 'again'],
  [/\btold\b/i, 'reported, named'],
  [/\bgo(?:es)? on\b/i, 'continue'],
  [/\bformer\b/i, 'previous'],
  [/\bjudge[ds]?|judging\b/i, 'validate, check'],
  [/\bfarewell\b/i, 'shutdown delay'],
  [/\bmend(?:s|ed)?\b/i, 'fix, correct, repair'],
  [/\bsomebody\b/i, 'the actor'],
  [/\blacks?\b/i, 'has no'],
  [/\bby (?:itself|themselves)\b/i, 'nothing, or alone'],
  [/\b(?:is|are) away\b/i, 'is unavailable'],
  [/\bas it stands\b/i, 'unchanged'],
  [/\b(?:no|any|every)body\b/i, 'no one, or the actor'],
  [/\bfor ever\b/i, 'always, without end'],
  [/\bthose (?:that|who|which)\b/i, 'the noun'],
  [/\b(?:stands|stood)\b/i, 'is, was'],
  [/\blook(?:s|ed|ing)? (?:at|through|after|for)\b|\ba look\b(?!-)/i, 'check, read, query'],
  [/\b(?:comes?|came|coming)\b/i, 'arrives, is, was'],
  [/\btells?\b/i, 'reports, shows'],
  [/\bonce more\b/i, 'again'],
  [/\bwhichever\b/i, 'any'],
  [/\bturns? of the event loop\b/i, 'tick of the event loop'],
]

/** The glossary names the words. */
const PAGES = pages().filter((page) => page !== 'docs/glossary.md')

test.each(PAGES)('%s has plain words', (page) => {
  expect(oddWords(readPage(page))).toEqual([])
})

describe('the check of words', () => {
  test('finds a word, and leaves out code and targets of links', () => {
    expect(oddWords('It goes on.')).toEqual(['It goes on.: write continue'])
    expect(oddWords('`goes on` [x](former.md)\n```\ntold\n```\n')).toEqual([])
  })
})

/** Lines with such a word, each with what to write. */
function oddWords(text: string): readonly string[] {
  const prose = text
    .replaceAll(/^```[\s\S]*?^```$/gm, '')
    .replaceAll(/`[^`\n]+`/g, '')
    .replaceAll(/\]\([^)]*\)/g, ']')
  return prose
    .split('\n')
    .flatMap((line) => INSTEAD.flatMap(([word, instead]) => (word.test(line) ? [`${line}: write ${instead}`] : [])))
}
