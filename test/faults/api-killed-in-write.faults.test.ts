import { createWorld, eventually, untilBlocking, type ServiceProcess, type World } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'

let world: World
let first: ServiceProcess
let second: ServiceProcess
let apiKey: string

beforeAll(async () => {
  world = await createWorld()
  apiKey = await world.apiKey('acme')
  first = await world.startService('api')
  second = await world.startService('api')
})
afterAll(() => world?.close())

function create(api: ServiceProcess): Promise<Response> {
  const headers = {
    authorization: `Bearer ${apiKey}`,
    'content-type': 'application/json',
    'idempotency-key': 'one-webhook',
  }
  const body = JSON.stringify({ url: 'https://example.com/', events: ['*'] })
  return fetch(`${api.url}/v1/webhooks`, { method: 'POST', headers, body })
}

test('an api that is killed in the middle of a write leaves nothing, and the same Idempotency-Key is free within 60 s', async () => {
  // The write has inserted its webhook and waits here for its entry in the audit log.
  const blocker = await world.admin.connect()
  await blocker.query('BEGIN')
  await blocker.query('LOCK TABLE audit_entries IN ACCESS EXCLUSIVE MODE')
  const lost = create(first).then(
    () => 'answered',
    () => 'cut',
  )
  await untilBlocking(blocker)
  first.kill('SIGKILL')
  expect(await lost).toBe('cut')
  await blocker.query('COMMIT')
  blocker.release()

  let created: Response | undefined
  await eventually('the second api takes the write', async () => (created = await create(second)).status !== 409, {
    everyMs: 250,
  })
  expect(created?.status).toBe(201)
  const { rows } = await world.admin.query(`SELECT FROM webhooks WHERE tenant_id = 'acme'`)
  const kept = created?.headers.get('idempotent-replayed') === 'true'
  // The commit may have been under way when the process died: then its answer is kept.
  expect({ webhooks: rows.length, kept }).toEqual({ webhooks: 1, kept })
})
