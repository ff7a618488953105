import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createPool, type Pool } from '@ariftly/store'
import { eventually } from '@ariftly/testkit'
import { startStandalone, type Standalone } from '../support/standalone.ts'

/** Within a second, and more on a machine that is busy with other tests. */
const ENDED_MS_MAX = 5000
const EVENT = '{"type":"task.created","task_id":"t","data":{}}'

let system: Standalone
let admin: Pool

beforeAll(async () => {
  system = await startStandalone()
  admin = createPool({
    role: null,
    url: system.env['DATABASE_ADMIN_URL'] ?? '',
    applicationName: 'revoked-key-test',
    max: 1,
  })
})

afterAll(async () => {
  await admin?.end()
  await system?.close()
})

test('a revoked key is refused by every route within a second, and the one process reads the changes of keys once for all', async () => {
  const key = await system.apiKeyOf('default', ['events:write', 'events:read'])
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const post = () => system.request('/v1/events', { method: 'POST', headers, body: EVENT })
  const list = () => system.request('/v1/events', { headers })
  const stream = await system.request('/v1/events/stream', { headers })
  const current = (await (await system.request('/v1/api-keys/current', { headers })).json()) as { readonly id: string }
  expect([stream.status, (await post()).status, (await list()).status]).toEqual([200, 202, 200])
  let streaming = true
  const end = () => {
    streaming = false
  }
  void stream.text().then(end, end)
  expect(await readersOfTheFeed()).toEqual(['ariftly-standalone keys'])

  expect((await system.request(`/v1/api-keys/${current.id}`, { method: 'DELETE' })).status).toBe(204)
  const ended = async () => !streaming && (await post()).status === 401 && (await list()).status === 401
  await eventually('the stream has ended', ended, { timeoutMs: ENDED_MS_MAX, everyMs: 10 })
})

/** Longer than the pause between two reads of the feed. */
const OBSERVED_MS = 1200

/** The names of the connections that ask for changes of keys, as seen for that time. */
async function readersOfTheFeed(): Promise<readonly string[]> {
  const names = new Set<string>()
  const untilMs = performance.now() + OBSERVED_MS
  await eventually('the feed was observed', async () => {
    const { rows } = await admin.query<{ name: string }>(
      `SELECT application_name AS name FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%FROM api_key_changes%'`,
    )
    for (const { name } of rows) names.add(name)
    return performance.now() > untilMs
  })
  return [...names]
}
