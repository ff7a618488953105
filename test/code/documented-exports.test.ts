import { expect, test } from '@jest/globals'
import { sourceFiles } from './source-files.ts'

const EXPORT = /^export (?:async )?(?:function\*?|class|interface|type|const|let) (\w+)/
/** Allowed between an export and its doc comment. */
const BETWEEN = /^\/\/ prettier-ignore$/

test('each export has a doc comment', () => {
  expect(sourceFiles().flatMap(({ path, text }) => undocumented(text).map((name) => `${path}: ${name}`))).toEqual([])
})

test('one without would be found', () => {
  const documented = '/** Adds. */\nexport function add(a: number): number\nexport function add(a: string): string\n'
  expect(undocumented(`${documented}\nexport const LIMIT = 1\n`)).toEqual(['LIMIT'])
})

/** Names of exports without a doc comment; the first overload of a function has the comment of all. */
function undocumented(text: string): readonly string[] {
  const names: string[] = []
  let before = ''
  for (const line of text.split('\n')) {
    const name = EXPORT.exec(line)?.[1]
    if (name !== undefined && !before.endsWith('*/') && EXPORT.exec(before)?.[1] !== name) names.push(name)
    if (line.trim() !== '' && !BETWEEN.test(line)) before = line
  }
  return names
}
