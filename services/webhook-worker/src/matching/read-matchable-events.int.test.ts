import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { type TestDatabase, createTestDatabase, insertEvents, sampleRow } from '@ariftly/testkit'
import { createPool, type Pool } from '@ariftly/store'
import { readMatchableEvents } from './read-matchable-events.ts'

const LARGE = 200 * 1024
/** By offset: three large payloads are more than one read holds. */
const SIZES = [LARGE, 20, LARGE, LARGE, 20, 20]

let database: TestDatabase
let pool: Pool

beforeAll(async () => {
  database = await createTestDatabase()
  pool = createPool({ role: null, url: database.url, applicationName: 'test', max: 1 })
  const appendedAtMs = Date.now()
  const events = SIZES.map((bytes, offset) => {
    // The same byte repeated: it is compressed in the table.
    const data = Buffer.from(`{"n":${offset},"text":"${'x'.repeat(bytes)}"}`)
    return sampleRow({ tenant: 'mine', data, offset, appendedAtMs })
  })
  await insertEvents(pool, events)
})
afterAll(async () => {
  await pool?.end()
  await database?.drop()
})

/** The offsets of one read from an offset on, those whose payload is missing, and whether it is the last one. */
async function read(from: number, o: { readonly limit: number; readonly withData: boolean }) {
  const where = `tenant_id = $1 AND epoch = 1 AND partition = 0 AND "offset" >= $2`
  const { events, atEnd } = await readMatchableEvents(pool, { where, values: ['mine', from], ...o })
  const found = events.map(({ offset, data }) => [offset, data === null ? null : Number(/\d+/.exec(data)?.[0])])
  return { found, atEnd }
}

/** Events that hold their own offset. */
function withOwn(...offsets: readonly number[]) {
  return offsets.map((offset) => [offset, offset])
}

test('reads payloads up to a number of bytes, and the next read continues, until there are no more', async () => {
  expect(await read(0, { limit: 100, withData: true })).toEqual({ found: withOwn(0, 1, 2, 3), atEnd: false })
  expect(await read(4, { limit: 100, withData: true })).toEqual({ found: withOwn(4, 5), atEnd: true })
  expect(await read(0, { limit: 2, withData: true })).toEqual({ found: withOwn(0, 1), atEnd: false })
  expect(await read(6, { limit: 100, withData: true })).toEqual({ found: [], atEnd: true })
})

test('reads all without payloads', async () => {
  const found = SIZES.map((_, offset) => [offset, null])
  expect(await read(0, { limit: 100, withData: false })).toEqual({ found, atEnd: true })
  expect(await read(0, { limit: 6, withData: false })).toEqual({ found, atEnd: false })
})
