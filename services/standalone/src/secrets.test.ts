import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { readOrMakeSecret } from './secrets.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ariftly-secrets-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

test('a secret is made once, used again, and readable by its owner alone', () => {
  const file = join(folder, 'new', 'secret')
  expect(readOrMakeSecret(file, () => 'first')).toBe('first')
  expect(readOrMakeSecret(file, () => 'second')).toBe('first')
  expect(readFileSync(file, 'utf8')).toBe('first\n')
  expect(statSync(file).mode & 0o777).toBe(0o600)
})
