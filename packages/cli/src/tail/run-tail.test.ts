import { Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { errorOf, jsonLines, run, type RunOptions } from '../test-run.ts'

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
async function tail(body: string, options: RunOptions = {}, more: readonly string[] = []) {
  api.respondWith(() => ({ headers: { 'content-type': 'text/event-stream' }, body }))
  const env = { ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: 'k' }
  return await run(['events', 'tail', '--since', '7d', '--no-follow', ...more], { env, ...options })
}

test('--no-follow ends when the server says that the stream is live, not at a heartbeat before its events', async () => {
  const ran = await tail(`retry: 5\n\n:\n${frameOf(EVENT)}${LIVE}`)
  expect({ ...ran, out: jsonLines(ran.out) }).toEqual({ code: 0, out: [EVENT], err: '' })
})

test('--no-follow without --since is refused before any request: nothing would be printed', async () => {
  const before = api.requests.length
  const env = { ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: 'k' }
  const ran = await run(['events', 'tail', '--no-follow'], { env })
  expect(errorOf(ran)).toMatchObject({ code: 'usage', pointer: '--since', exit_code: 1 })
  expect(api.requests).toHaveLength(before)
})

test('a position that could not be kept ends it with 1, and with --accept-gap it goes on', async () => {
  const reset = 'event: stream.reset\ndata: {"reason":"history_expired","requested":null,"earliest":null}\nid: p0\n\n'
  const body = `retry: 5\n\n${reset}${frameOf(EVENT)}${LIVE}`
  const ran = await tail(body)
  expect({ code: ran.code, out: ran.out, error: errorOf(ran)['code'] }).toEqual({
    code: 1,
    out: '',
    error: 'stream_reset',
  })
  const accepted = await tail(body, {}, ['--accept-gap'])
  expect({ code: accepted.code, out: jsonLines(accepted.out) }).toEqual({ code: 0, out: [EVENT] })
  expect(accepted.err).toContain('history_expired')
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
