import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import { numbered } from '../support/numbered-events.ts'
import { startHoppingProxy, type HoppingProxy } from '../support/hopping-proxy.ts'
import { startJavaScript } from './foreign-clients.ts'

/** Then the event is sent again: the client may have been away. */
const SOON = { timeoutMs: 4000 }
let world: World
let key: string
let gateway: ServiceProcess
let proxy: HoppingProxy

beforeAll(async () => {
  world = await createWorld({ env: { DRAIN_MS: '0' } })
  key = await world.apiKey('acme')
  gateway = await world.startService('stream-gateway')
  proxy = await startHoppingProxy({ ports: [gateway.port], random: () => 0, bytes: { min: 1, max: 1 } })
})

afterAll(async () => {
  await proxy?.close()
  await world?.close()
})

describe.each(['end', 'reset'] as const)('a stream whose connection is cut by %s', (how) => {
  test('is no complete answer: fetch rejects', async () => {
    const response = await fetch(`${proxy.url}/v1/events/stream`, { headers: { authorization: `Bearer ${key}` } })
    const body = response.body?.getReader()
    await body?.read()
    const rest = readToEnd(body)
    proxy.dropAll(how)
    expect(await rest).toMatchObject({ name: 'TypeError', message: 'terminated' })
  })

  test('is opened again by fetch-event-source, without a handler for the end', async () => {
    const client = startJavaScript('fetch-event-source', {
      url: `${proxy.url}/v1/events/stream?agent=${how}`,
      apiKey: key,
    })
    try {
      await eventually('the client is connected', () => proxy.connections === 1)
      for (let number = 0; number < 4; number += 1) {
        await eventually('the client shows events again', async () => {
          if (client.numbers.length > number) return true
          await world.append([numbered(`t-${how}`, number, { agent: how })])
          return await eventually('the client shows the event', () => client.numbers.length > number, SOON)
        })
        proxy.dropAll(how)
      }
    } finally {
      client.close()
    }
  })
})

/** What the reading ends with: the error, or undefined when the answer seems complete. */
async function readToEnd(body: ReadableStreamDefaultReader<Uint8Array> | undefined): Promise<unknown> {
  try {
    for (let isDone = false; !isDone; isDone = (await body?.read())?.done ?? true);
    return undefined
  } catch (error) {
    return error
  }
}
