import { expect, test } from '@jest/globals'
import pg from 'pg'
import { createTestDatabase } from './database.ts'

test('two test databases share nothing, and a dropped one does not exist', async () => {
  const [one, other] = await Promise.all([createTestDatabase(), createTestDatabase()])
  await query(one.adminUrl, 'CREATE TABLE only_here (n int)')
  const sql = `SELECT to_regclass('only_here')::text AS value`
  expect(await query(one.adminUrl, sql)).toBe('only_here')
  expect(await query(other.adminUrl, sql)).toBeNull()
  await Promise.all([one.drop(), other.drop()])
  await expect(query(one.adminUrl, sql)).rejects.toThrow('does not exist')
})

async function query(url: string, text: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query<{ value: unknown }>(text)).rows[0]?.value
  } finally {
    await client.end()
  }
}
