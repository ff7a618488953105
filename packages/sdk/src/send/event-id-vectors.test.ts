import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { EventIdMinter } from './event-id.ts'

/** `packages/sdk/contract/vectors/README.md` says what the members mean. */
interface Vector {
  readonly name: string
  readonly random: readonly (readonly number[])[]
  readonly ms: readonly number[]
  readonly ids: readonly string[]
}

const FILE = join(import.meta.dirname, '../../contract/vectors/event-ids.json')
const vectors = JSON.parse(readFileSync(FILE, 'utf8')) as Vector[]

test.each(vectors)('$name', ({ random, ms, ids }) => {
  const left = [...random]
  const minter = new EventIdMinter((numbers) => numbers.set(left.shift() ?? []))
  expect(ms.map((each) => minter.mint(each))).toEqual(ids)
})
