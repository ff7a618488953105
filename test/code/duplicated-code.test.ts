import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { runChecker } from '../support/run-checker.ts'

const ROOT = join(import.meta.dirname, '../..')
const PLACES = ['packages', 'services', 'dev', 'bench', 'test'].map((name) => join(ROOT, name))

test('no piece of code exists twice', () => {
  expect(runChecker('duplicates', JSON.stringify(PLACES))).toEqual([])
}, 120_000)

test('one that does would be found', () => {
  const folder = mkdtempSync(join(tmpdir(), 'duplicates-'))
  try {
    const lines = Array.from(
      { length: 12 },
      (_, at) => `export const name${at} = [${at}, 'text ${at}', { member: ${at} }]`,
    )
    for (const name of ['one.ts', 'other.ts']) writeFileSync(join(folder, name), lines.join('\n'))
    expect(runChecker('duplicates', JSON.stringify([folder]))).toHaveLength(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
}, 60_000)
