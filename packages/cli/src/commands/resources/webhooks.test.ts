import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { run } from '../../test-run.ts'

const KEY = 'ak_1234567890_the_key'
let api: Receiver

beforeAll(async () => {
  api = await startReceiver()
  api.respondWith(() => ({ headers: { 'content-type': 'application/json' }, body: '{"id":"whk_1"}' }))
})

afterAll(async () => {
  await api.close()
})

test.each([
  ['http', 'POST /v1/webhooks', ['create']],
  ['https', 'POST /v1/webhooks', ['create']],
  ['https', 'PATCH /v1/webhooks/whk_01h455vb4pex5vsknk084sn02q', ['update', 'whk_01h455vb4pex5vsknk084sn02q']],
])('nothing is sent to the receiver that --url names: %s, %s', async (scheme, route, words) => {
  let connections = 0
  const receiver = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  const { port } = receiver.address() as { readonly port: number }
  const url = `${scheme}://127.0.0.1:${port}/hook`
  const env = { ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: KEY }
  const before = api.requests.length
  const ran = await run(['webhooks', ...words, '--url', url, '--events', 'task.*'], { env })
  await new Promise((resolve) => receiver.close(resolve))
  const [request] = api.requests.slice(before)
  expect({ ...ran, connections }).toMatchObject({ code: 0, err: '', connections: 0 })
  expect(`${request?.method} ${request?.path}`).toBe(route)
  expect(JSON.parse(String(request?.body))).toEqual({ url, events: ['task.*'] })
})
