import { newTypeId } from '@ariftly/events'
import { createTestDatabase } from '@ariftly/testkit'
import { afterAll, expect, test } from '@jest/globals'
import { deleteExpiredAuditEntries, insertAuditEntry, listAuditEntries } from './audit.ts'

const DAY_MS = 86_400_000

const database = await createTestDatabase()
/** Of the services' role. */
const pool = database.openPool()

afterAll(() => database.drop())

async function insertOf(ageDays: number): Promise<string> {
  const id = newTypeId('aud', Date.now() - ageDays * DAY_MS)
  const rest = { keyId: newTypeId('key'), tenant: 'acme', action: 'tenant.put', target: 'acme', requestId: 'r' }
  await insertAuditEntry(pool, { id, ...rest, changes: '[]' })
  return id
}

function changeOf(before: unknown, after: unknown, member = '/name'): string {
  return JSON.stringify([{ member, before, after }])
}

test('repeated updates of a target by a key are counted in the first one for a minute; nothing else is', async () => {
  const [key, other] = [newTypeId('key'), newTypeId('key')]
  type Fields = { keyId?: string; action?: string; target?: string; ageS?: number; changes?: string }
  const record = async (fields: Fields = {}) => {
    const { ageS = 0, ...rest } = fields
    const id = newTypeId('aud', Date.now() - ageS * 1000)
    const entry = {
      keyId: key,
      tenant: 'folded',
      action: 'api_key.update',
      target: 'key_1',
      requestId: id,
      changes: '[]',
    }
    await insertAuditEntry(pool, { id, ...entry, ...rest })
    return id
  }
  const old = await record({ ageS: 90 })
  const first = await record({ ageS: 5 })
  for (let n = 0; n < 4; n += 1) await record()
  const separate = [
    await record({ keyId: other }),
    await record({ target: 'key_2' }),
    await record({ action: 'api_key.rotate' }),
    await record({ action: 'api_key.rotate' }),
  ]
  const entries = await listAuditEntries(pool, { tenant: 'folded', limit: 20 })
  const counts = new Map(entries.map(({ id, count }) => [id, count]))
  expect(counts).toEqual(new Map([[old, 1], [first, 5], ...separate.map((id): [string, number] => [id, 1])]))
  expect(entries.find(({ id }) => id === first)).toMatchObject({ requestId: first })
  await expect(pool.query('UPDATE audit_entries SET count = 1')).rejects.toThrow('permission denied')
})

test('an entry of several updates has the first value before and the last one after', async () => {
  const same = {
    keyId: newTypeId('key'),
    tenant: 'changing',
    action: 'api_key.update',
    target: 'key_1',
    requestId: 'r',
  }
  const steps = [
    changeOf('a', 'b'),
    changeOf('b', 'c'),
    // Another member, and the first one again: what lies between must stay visible.
    changeOf(null, 5, '/quota/events_per_s'),
    changeOf('c', 'd'),
    // A change of a state is never counted in another entry.
    changeOf('active', 'suspended', '/state'),
    changeOf('suspended', 'active', '/state'),
  ]
  for (const changes of steps) await insertAuditEntry(pool, { ...same, id: newTypeId('aud'), changes })
  const entries = await listAuditEntries(pool, { tenant: 'changing', limit: 20 })
  expect(entries.map(({ changes, count }) => [JSON.parse(changes), count]).toReversed()).toEqual([
    [[{ member: '/name', before: 'a', after: 'c' }], 2],
    [[{ member: '/quota/events_per_s', before: null, after: 5 }], 1],
    [[{ member: '/name', before: 'c', after: 'd' }], 1],
    [[{ member: '/state', before: 'active', after: 'suspended' }], 1],
    [[{ member: '/state', before: 'suspended', after: 'active' }], 1],
  ])
})

test('entries older than 400 days are removed, at most as many as asked for, by a role that may remove no other', async () => {
  const kept = [await insertOf(0), await insertOf(399)]
  for (const ageDays of [401, 402, 500]) await insertOf(ageDays)
  expect(await deleteExpiredAuditEntries(pool, 2)).toBe(2)
  expect(await deleteExpiredAuditEntries(pool, 100)).toBe(1)
  expect(await deleteExpiredAuditEntries(pool, 100)).toBe(0)
  expect((await listAuditEntries(pool, { tenant: 'acme', limit: 10 })).map(({ id }) => id)).toEqual(kept)
  await expect(pool.query('DELETE FROM audit_entries')).rejects.toThrow('permission denied')
  await expect(pool.query(`UPDATE audit_entries SET target = ''`)).rejects.toThrow('permission denied')
})
