import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROUTES } from '@ariftly/http'
import { createTestDatabase } from '@ariftly/testkit'
import { afterAll, expect, test } from '@jest/globals'

const page = readFileSync(join(import.meta.dirname, '../../../docs/lists.md'), 'utf8')

const database = await createTestDatabase()
const pool = database.openPool()

afterAll(() => database.drop())

/** The names in the fourth column of the first table. */
function namedIndexes(): readonly string[] {
  const [table = ''] = page.split('\n## ')
  const cells = table.split('\n').flatMap((line) => (line.startsWith('|') ? [line.split('|')[4] ?? ''] : []))
  return [...new Set(cells.flatMap((cell) => [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name ?? '')))]
}

test('every index that the page of lists names is valid in the migrated schema', async () => {
  const names = namedIndexes()
  expect(names.length).toBeGreaterThan(15)
  const { rows } = await pool.query<{ relname: string }>(
    `SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid
      WHERE relnamespace = 'public'::regnamespace AND indisvalid AND relname = ANY ($1)`,
    [names],
  )
  expect(rows.map(({ relname }) => relname).toSorted()).toEqual(names.toSorted())
})

test('every list of the API is on the page', () => {
  const lists = ROUTES.filter(({ name, path }) => path.startsWith('/v1/') && /^(?:list|find)[A-Z]/.test(name))
  expect(lists.length).toBeGreaterThan(9)
  expect(lists.map(({ path }) => `GET ${path}`).filter((list) => !page.includes(`\`${list}\``))).toEqual([])
})
