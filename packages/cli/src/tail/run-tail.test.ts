import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { jsonLines, run, type RunOptions } from '../test-run.ts'

const EVENT = { id: 'evt_01h455vb4pex5vsknk084sn02q', type: 'task.progress', data: {} }
let api: Receiver

beforeAll(async () => {
  api = await startReceiver()
})

afterAll(async () => {
  await api.close()
})

const LIVE = 'event: stream.checkpoint\ndata: {"live":true}\nid: p1\n\n'
const frameOf = (event: object) => `event: task.progress\ndata: ${JSON.stringify(event)}\nid: p1\n\n`

/** Prints what a stream with this text has until it is live. */
async function tail(body: string, options: RunOptions = {}) {
  api.respondWith(() => ({ headers: { 'content-type': 'text/event-stream' }, body }))
  const env = { ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: 'k' }
  return await run(['events', 'tail', '--since', '7d', '--no-follow'], { env, ...options })
}

test('--no-follow ends when the server says that the stream is live, not at a heartbeat before its events', async () => {
  const ran = await tail(`retry: 5\n\n:\n${frameOf(EVENT)}${LIVE}`)
  expect({ ...ran, out: jsonLines(ran.out) }).toEqual({ code: 0, out: [EVENT], err: '' })
})

test('a slow reader has all events, and no more of them wait for it than one write holds', async () => {
  const count = 3000
  const events = Array.from({ length: count }, (_, n) => ({
    ...EVENT,
    id: `evt_${n}`,
    data: { text: 'x'.repeat(1000) },
  }))
  let waitingMax = 0
  let text = ''
  const stdout = new Writable({
    write(chunk: Buffer, _, done) {
      waitingMax = Math.max(waitingMax, this.writableLength)
      text += chunk.toString()
      setTimeout(done, 20)
    },
  })
  const ran = await tail(`retry: 5\n\n${events.map(frameOf).join('')}${LIVE}`, { stdout })
  expect(ran).toMatchObject({ code: 0, err: '' })
  expect(jsonLines(text).map(({ id }) => id)).toEqual(events.map(({ id }) => id))
  const lineBytes = JSON.stringify(events.at(-1)).length + 1
  expect(waitingMax).toBeLessThanOrEqual(500 * lineBytes)
})
