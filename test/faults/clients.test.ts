import { once } from 'node:events'
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, describe, expect, test } from '@jest/globals'
import { createRandom, eventually } from '@ariftly/testkit'
import { startLoadClient } from './load-client.ts'
import { startStreamClient } from './stream-client.ts'
import type { PlannedEvent } from './ledger.ts'
import { ledgerIdOf, planEvent, requestLine } from './workload.ts'

const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

describe('the load client', () => {
  test('posts events that were cut, answered 503 or are retry in a 207 again with the same ids, until they are acknowledged', async () => {
    const posted: (readonly string[])[] = []
    const url = await serve((request, response) => {
      let text = ''
      request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      request.on('end', () => answer(text, request.socket, response))
    })
    const answer = (text: string, socket: Socket, response: ServerResponse) => {
      const ids = [...text.matchAll(/"ledger_id":"(evt_\w+)"/g)].map((match) => match[1] ?? '')
      posted.push(ids)
      if (posted.length === 1) {
        socket.resetAndDestroy()
        return
      }
      const status = [503, 207][posted.length - 2] ?? 202
      const retry = status !== 202
      const entries = ids.map((id, index) => ({ index, id, status: retry && index > 0 ? 'retry' : 'accepted' }))
      response.writeHead(status, { 'content-type': 'application/json' })
      response.end(JSON.stringify(status === 503 ? { events: entries } : { data: entries }))
    }
    const acknowledged = new Map<string, PlannedEvent>()
    const random = createRandom(1)
    const client = startLoadClient({
      url: () => url,
      apiKey: 'key',
      eventsPerS: 100,
      repostShare: 0,
      format: 'json',
      random,
      plan: (nowMs) => planEvent('north', random, nowMs),
      acknowledge: (event) => acknowledged.set(event.id, event),
      signal: new AbortController().signal,
    })
    await eventually('30 acknowledged events', () => acknowledged.size >= 30)
    const report = await client.finish()
    expect(report).toMatchObject({ cut: 1, unavailable: 2, unexpected: [] })
    expect(acknowledged.size).toBe(report.planned)
    const [cut = [], retried = [], again = []] = posted
    expect(retried.slice(0, cut.length)).toEqual(cut)
    expect(again.slice(0, retried.length - 1)).toEqual(retried.slice(1))
  })

  test('plans events whose payload is one line with task_id first, and their own id inside', () => {
    const event = planEvent('west', createRandom(7), Date.now())
    expect(ledgerIdOf(event.data)).toBe(event.id)
    expect(JSON.parse(requestLine(event))).toMatchObject({ id: event.id, task_id: event.taskId, type: event.type })
    expect(event.data).toMatch(/^\{"task_id":"task_\d+",/)
  })
})

describe('the stream client', () => {
  test('drops a block that was cut and resumes after the last complete one', async () => {
    const asked: (string | undefined)[] = []
    const frames = Array.from({ length: 3 }, (_, index) => {
      const event = planEvent('north', createRandom(index), Date.now())
      return { event, text: `event: ${event.type}\ndata: ${event.data}\nid: v1.${index}\n\n` }
    })
    const url = await serve((request, response) => {
      const last = request.headers['last-event-id']
      asked.push(last === undefined ? undefined : String(last))
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const next = last === undefined ? 0 : Number(String(last).slice(3)) + 1
      const text = frames
        .slice(next)
        .map((frame) => frame.text)
        .join('')
      if (next > 0) response.write(text)
      else response.write(text.slice(0, -12), () => response.destroy())
    })
    const client = startStreamClient({
      name: 'all',
      tenant: 'north',
      apiKey: 'key',
      wanted: {},
      gateways: () => [url],
      random: createRandom(3),
      roamMs: 60_000,
      signal: new AbortController().signal,
    })
    await eventually('3 streamed events', () => client.seen.received.length >= 3)
    await client.close()
    expect(asked).toEqual([undefined, 'v1.1'])
    expect(client.seen.received.map(({ id }) => id)).toEqual(frames.map(({ event }) => event.id))
    expect(client.report).toMatchObject({ connections: 2, refused: 0, unexpected: [] })
  })
})

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
