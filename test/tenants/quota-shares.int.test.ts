import { createHash, randomBytes } from 'node:crypto'
import { newTypeId } from '@ariftly/events'
import { insertApiKey } from '@ariftly/store/api-keys'
import { createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import { afterAll, beforeAll, test } from '@jest/globals'

/** Every process learns of another one, and of one that ended cleanly. */
const SHARED_MS_MAX = 10_000
/** Of a process that was killed. */
const TAKEN_OVER_MS_MAX = 25_000
let world: World

beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world?.close())

/** A key of 100 events a second. */
async function limitedKey(): Promise<string> {
  const key = `test_${randomBytes(24).toString('base64url')}`
  const hash = createHash('sha256').update(key).digest()
  const quota = { eventsPerS: 100, bytesPerS: null }
  const rest = { tenant: 'acme', name: 'test', scopes: ['events:write'], quota, expiresAtMs: null }
  await insertApiKey(world.admin, { id: newTypeId('key'), hash, ...rest, createdAtMs: Date.now() })
  return key
}

/** The events a second that a process grants the key. */
async function granted(ingest: ServiceProcess, key: string): Promise<number> {
  const answer = await fetch(`${ingest.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: '{"type":"task.created","task_id":"t","data":{}}',
  })
  await answer.text()
  return Number(/"events";q=(\d+)/.exec(answer.headers.get('ratelimit-policy') ?? '')?.[1])
}

test('two processes have half of each quota; when one is killed the other takes its share within 20 s', async () => {
  const key = await limitedKey()
  const one = await world.startService('ingest')
  await eventually('one process grants all', async () => (await granted(one, key)) === 100)
  const other = await world.startService('ingest')
  for (const ingest of [one, other]) {
    await eventually('both processes grant half', async () => (await granted(ingest, key)) === 50, {
      timeoutMs: SHARED_MS_MAX,
    })
  }
  other.kill('SIGKILL')
  await eventually('one process grants all', async () => (await granted(one, key)) === 100, {
    timeoutMs: TAKEN_OVER_MS_MAX,
  })
  const third = await world.startService('ingest')
  await eventually('both processes grant half', async () => (await granted(one, key)) === 50, {
    timeoutMs: SHARED_MS_MAX,
  })
  // A process that ends cleanly is not waited for.
  third.kill('SIGTERM')
  await eventually('one process grants all', async () => (await granted(one, key)) === 100, {
    timeoutMs: SHARED_MS_MAX,
  })
})
