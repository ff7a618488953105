import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startClientWorld, type ClientWorld } from './client-world.ts'
import { hasPython, startCurl, startJavaScript, startPython, type ForeignTarget } from './foreign-clients.ts'

const EVENTS = 100
const STARTERS = {
  curl: startCurl,
  eventsource: (target: ForeignTarget) => startJavaScript('eventsource', target),
  'fetch-event-source': (target: ForeignTarget) => startJavaScript('fetch-event-source', target),
  ...(hasPython() ? { python: startPython } : {}),
}

let clients: ClientWorld

beforeAll(async () => {
  clients = await startClientWorld()
})

afterAll(async () => {
  await clients?.close()
})

test(`clients that are not ours resume over cuts at any byte, from gateway to gateway: ${Object.keys(STARTERS).join(', ')}`, async () => {
  const { proxy, apiKey } = clients
  // In the past by a moment: a client that is slow to start has no event to miss.
  const after = new Date(Date.now() - 1000).toISOString()
  const url = `${proxy.url}/v1/events/stream?task_id=t-foreign&after=${after}`
  const started = Object.entries(STARTERS).map(([name, start]) => ({ name, client: start({ url, apiKey }) }))
  try {
    await clients.play(
      started.map(({ client }) => client),
      't-foreign',
      EVENTS,
    )
    const expected = Array.from({ length: EVENTS }, (_, number) => number)
    const wrong = started.filter(({ client }) => JSON.stringify(client.numbers) !== JSON.stringify(expected))
    expect(wrong.map(({ name, client }) => `${name}: ${client.numbers.join(' ')}`)).toEqual([])
    expect(proxy.cuts).toBeGreaterThan(started.length)
  } finally {
    for (const { client } of started) client.close()
  }
})
