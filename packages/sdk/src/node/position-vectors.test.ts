import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterEach, expect, test } from '@jest/globals'
import { filePositionStore } from './file-position-store.ts'

/** `packages/sdk/contract/vectors/README.md` says what the members mean. */
interface Vector {
  readonly name: string
  readonly path?: string
  readonly files: Readonly<Record<string, string>>
  readonly save?: string
  readonly load?: string | null
  readonly error?: string
  readonly after?: Readonly<Record<string, string>>
  readonly mode?: string
}

const FILE = join(import.meta.dirname, '../../contract/vectors/position-files.json')
const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as Vector[]
const folders: string[] = []
afterEach(() => folders.splice(0).forEach((folder) => rmSync(folder, { recursive: true })))

test.each(vectors)('$name', async ({ path = 'position', files, save, load, error, after, mode }) => {
  const folder = mkdtempSync(join(tmpdir(), 'ariftly-position-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const store = filePositionStore(join(folder, path))
  if (save !== undefined) await store.save(save)
  if (error === undefined) expect((await store.load()) ?? null).toBe(load)
  else await expect(store.load()).rejects.toMatchObject({ code: error })
  if (after !== undefined) expect(readAll(folder)).toEqual(after)
  if (mode !== undefined) expect((statSync(join(folder, path)).mode & 0o777).toString(8)).toBe(mode)
})

function readAll(folder: string): object {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const paths = entries.map(({ parentPath, name }) => join(parentPath, name))
  return Object.fromEntries(paths.map((path) => [relative(folder, path), readFileSync(path, 'utf8')]))
}
