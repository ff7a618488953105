import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { satisfies } from 'semver'

const ROOT = join(import.meta.dirname, '../..')
/** The oldest Node.js that README names. */
const OLDEST = '20.19.0'

interface LockFile {
  readonly packages: Readonly<
    Record<string, { readonly optional?: boolean; readonly engines?: { readonly node?: string } }>
  >
}

test('no package that npm installs asks for a newer Node.js than the oldest supported one', () => {
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as LockFile
  const asking = Object.entries(packages).filter(([, { engines }]) => engines?.node !== undefined)
  expect(asking.length).toBeGreaterThan(100)
  const tooNew = asking
    .filter(([, { optional, engines }]) => optional !== true && !satisfies(OLDEST, engines?.node ?? '*'))
    .map(([path, { engines }]) => `${path}: ${engines?.node}`)
  expect(tooNew).toEqual([])
})
