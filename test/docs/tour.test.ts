import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { readPage, ROOT } from './markdown.ts'

const STOP = /^\d+\. \[`[^`]+`\]\(\.\.\/([^)]+)\): `([^`]+)`: \S/
const STOPS = readPage('docs/tour.md')
  .split('\n')
  .filter((line) => /^\d+\. /.test(line))

test('each stop of the tour names a file, and a symbol that the file declares', () => {
  expect(STOPS.length).toBeGreaterThan(50)
  expect(STOPS.filter((line) => !exists(line))).toEqual([])
})

test('a declaration is found, also of a member', () => {
  const source = 'export class Way {\n  go(): void {\n    first()\n  }\n\n  #second(): void {}\n}\n'
  expect(['Way', 'Way.go', '#second'].map((symbol) => declares(source, symbol))).toEqual([true, true, true])
  expect(['Street', 'Way.run'].map((symbol) => declares(source, symbol))).toEqual([false, false])
})

/** Whether the line is a stop, with a file that declares its symbol. */
function exists(line: string): boolean {
  const [, path = '', symbol] = STOP.exec(line) ?? []
  return symbol !== undefined && declares(readFileSync(join(ROOT, path), 'utf8'), symbol)
}

/** Whether a file declares a function, a class, a member or `Class.member`. */
function declares(source: string, symbol: string): boolean {
  const [owner = '', member] = symbol.split('.')
  const declared = new RegExp(`(?:^|\\s)(?:function\\*?|const|class|interface|type) ${owner}\\b`)
  if (member !== undefined) return declared.test(source) && declaresMember(source, member)
  return declared.test(source) || declaresMember(source, symbol)
}

function declaresMember(source: string, member: string): boolean {
  return new RegExp(`^\\s+(?:(?:async|readonly|get) )*#?${member.replace('#', '')}[(<: ]`, 'm').test(source)
}
