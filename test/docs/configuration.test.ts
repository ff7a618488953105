import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { renderConfigurationPage } from './configuration-page.ts'
import { ROOT } from './markdown.ts'

const PAGE = join(ROOT, 'docs/configuration.md')

test('docs/configuration.md says what the services read (write it again: npm run generate)', () => {
  const rendered = renderConfigurationPage()
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(PAGE, rendered)
  expect(words(readFileSync(PAGE, 'utf8'))).toBe(words(rendered))
})

test('docs/configuration.md lists each setting once', () => {
  const listed = [...readFileSync(PAGE, 'utf8').matchAll(/^\| `(\w+)`/gm)].map(([, setting]) => setting)
  expect(listed.length).toBeGreaterThan(60)
  expect(listed.filter((setting, index) => listed.indexOf(setting) !== index)).toEqual([])
})

/** Without the padding that the formatter gives to tables. */
function words(text: string): string {
  return text
    .replaceAll(/-{3,}/g, '---')
    .replaceAll(/[ \n]+/g, ' ')
    .trim()
}
