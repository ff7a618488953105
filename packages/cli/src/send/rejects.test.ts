import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, test } from '@jest/globals'
import { openRejects } from './rejects.ts'

let path: string
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'rejects-')), 'refused.ndjson')
})

test('keeps lines byte for byte, and says how many bytes there are', async () => {
  const rejects = await openRejects(path, undefined)
  expect(await rejects.add(['{"ü":1}', 'x'])).toBe(11)
  expect(await rejects.add([])).toBe(11)
  await rejects.close()
  expect(readFileSync(path, 'utf8')).toBe('{"ü":1}\nx\n')
})

test.each([
  ['before anything was noted', 0, ''],
  ['after the first line was noted', 2, '1\n'],
])('cuts off what a run wrote that was killed %s', async (_, kept, left) => {
  writeFileSync(path, '1\n2\n')
  const rejects = await openRejects(path, kept)
  expect(readFileSync(path, 'utf8')).toBe(left)
  await rejects.add(['3'])
  await rejects.close()
  expect(readFileSync(path, 'utf8')).toBe(`${left}3\n`)
})

test.each([
  ['that has lines of others', 'x\n', undefined],
  ['that has lost lines', '1\n', 4],
])('leaves a file alone %s', async (_, text, kept) => {
  writeFileSync(path, text)
  await expect(openRejects(path, kept)).rejects.toMatchObject({ code: 'rejects_exist', remedy: expect.any(String) })
  expect(readFileSync(path, 'utf8')).toBe(text)
})
