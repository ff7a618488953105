import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { newHome, run } from '../test-run.ts'

const EVENT = { id: 'evt_01h455vb4pex5vsknk084sn02q', type: 'task.progress', task_id: 't', data: {} }
let api: Receiver
let target: Receiver

beforeAll(async () => {
  api = await startReceiver()
  target = await startReceiver()
})

afterAll(async () => {
  await api.close()
  await target.close()
})

const streams = () => api.requests.filter(({ path }) => path.startsWith('/v1/events/stream'))

test('continues before the first event of a run without --since in which nothing was delivered', async () => {
  // The stream ends at once, and is not opened again before the command is stopped.
  const body = [
    'retry: 60000\nevent: stream.checkpoint\ndata: {}\nid: c0\n\n',
    `event: task.progress\ndata: ${JSON.stringify(EVENT)}\nid: p1\n\n`,
  ].join('')
  api.respondWith(({ path }) =>
    path.startsWith('/v1/events/stream')
      ? { headers: { 'content-type': 'text/event-stream' }, body }
      : { headers: { 'content-type': 'application/json' }, body: JSON.stringify({ tenant: 'acme', scopes: [] }) },
  )
  target.respondWith(() => ({ status: 503 }))
  const env = { HOME: newHome(), ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: 'k' }
  const argv = ['listen', '--forward-to', `http://127.0.0.1:${target.port}/`, '--max-attempts', '1000']
  for (const runs of [1, 2]) {
    const stop = new AbortController()
    const ended = run(argv, { env, signal: stop.signal })
    const before = target.requests.length
    await eventually('the event was posted', () => target.requests.length > before && streams().length === runs)
    stop.abort(new Error('Cancelled by SIGINT.'))
    expect(await ended).toMatchObject({ code: 2, out: '' })
  }
  expect(streams().map(({ headers }) => headers['last-event-id'])).toEqual([undefined, 'c0'])
})
