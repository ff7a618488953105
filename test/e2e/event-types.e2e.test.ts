import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startStandalone, type Standalone } from '../support/standalone.ts'

interface EventTypes {
  readonly data: readonly { readonly type: string; readonly example: object }[]
}

let system: Standalone

beforeAll(async () => {
  system = await startStandalone()
})
afterAll(async () => {
  await system?.close()
})

test('each event type can be posted by its own example, and any key may ask for the list', async () => {
  const key = await system.apiKeyOf('other', ['webhooks'])
  const response = await system.request('/v1/event-types', { headers: { authorization: `Bearer ${key}` } })
  const { data } = (await response.json()) as EventTypes
  expect(data).toHaveLength(10)
  const events = data.map(({ type, example }) => ({ type, task_id: 't', session_id: 's', data: example }))
  await system.post('/v1/events', JSON.stringify(events), 202)
  expect((await fetch(`${system.url}/v1/event-types`)).status).toBe(401)
})

test('the type of a problem is a page that explains it', async () => {
  const refused = await system.request('/v1/events?no_such=1')
  const problem = (await refused.json()) as { type: string; code: string }
  const page = await system.request(problem.type, { headers: { accept: 'application/json' } })
  expect(await page.json()).toMatchObject({ code: problem.code, status: 400 })
})
