import { expect, test } from '@jest/globals'
import { Ariftly } from '../index.ts'

const CHUNK_BYTES = 16 * 1024
const EVENT_BYTES = 1024

/** A chunk of events of equal size. */
function chunkOf(chunk: number): Uint8Array {
  const events = Array.from({ length: CHUNK_BYTES / EVENT_BYTES }, (_, at) => {
    const n = (chunk * CHUNK_BYTES) / EVENT_BYTES + at
    const head = `event: task.progress\ndata: {"id":"evt_${n}","data":{"x":"`
    const tail = `"}}\nid: p${n}\n\n`
    return `${head}${'x'.repeat(EVENT_BYTES - head.length - tail.length)}${tail}`
  })
  return new TextEncoder().encode(events.join(''))
}

test('a slow reader has 256 KiB read ahead of it, and more once it has had them', async () => {
  let chunks = 0
  const body = new ReadableStream<Uint8Array>(
    { pull: (controller) => controller.enqueue(chunkOf(chunks++)) },
    { highWaterMark: 0 },
  )
  const answer = async () => new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  const client = new Ariftly({ baseUrl: 'http://api.test', apiKey: 'key', fetch: answer })
  const readAhead: number[] = []
  const positions: (string | undefined)[] = []
  const stream = client.events.stream()
  for await (const _ of stream) {
    positions.push(stream.position)
    // All that is read without waiting for the loop is read by now.
    await new Promise((resolve) => setImmediate(resolve))
    readAhead.push(chunks * CHUNK_BYTES)
    if (positions.length === 300) break
  }
  await client.close()
  expect(new Set(readAhead)).toEqual(new Set([256 * 1024, 512 * 1024]))
  // With the last one given out, none waits.
  expect(readAhead.indexOf(512 * 1024)).toBe(255)
  expect(positions).toEqual([undefined, ...Array.from({ length: 299 }, (_, n) => `p${n}`)])
})
