import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { jsonLines, run } from '../test-run.ts'

const EVENT = { id: 'evt_01h455vb4pex5vsknk084sn02q', type: 'task.progress', data: {} }
let api: Receiver

beforeAll(async () => {
  api = await startReceiver()
})

afterAll(async () => {
  await api.close()
})

test('--no-follow ends when the server says that the stream is live, not at a heartbeat before its events', async () => {
  const body = [
    'retry: 5\n\n:\n',
    `event: task.progress\ndata: ${JSON.stringify(EVENT)}\nid: p1\n\n`,
    'event: stream.checkpoint\ndata: {"live":true}\nid: p1\n\n',
  ].join('')
  api.respondWith(() => ({ headers: { 'content-type': 'text/event-stream' }, body }))
  const env = { ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: 'k' }
  const ran = await run(['events', 'tail', '--since', '7d', '--no-follow'], { env })
  expect({ ...ran, out: jsonLines(ran.out) }).toEqual({ code: 0, out: [EVENT], err: '' })
})
