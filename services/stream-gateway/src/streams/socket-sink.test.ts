import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { afterEach, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { createSocketSink } from './socket-sink.ts'

const releases: (() => void)[] = []

afterEach(() => {
  for (const release of releases.splice(0)) release()
})

/** Both ends of a connection; the client reads nothing before it is resumed. */
async function pair(): Promise<{ readonly server: Socket; readonly client: Socket; readonly text: () => string }> {
  const listener = createServer()
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1')
  const [server] = (await once(listener, 'connection')) as [Socket]
  releases.push(
    () => listener.close(),
    () => client.destroy(),
    () => server.destroy(),
  )
  server.on('error', () => undefined)
  const chunks: Buffer[] = []
  client.on('data', (chunk: Buffer) => chunks.push(chunk)).pause()
  return { server, client, text: () => Buffer.concat(chunks).toString() }
}

test('blocks of all sizes arrive in order, whether the kernel takes them immediately or later', async () => {
  const { server, client, text } = await pair()
  const sink = createSocketSink(server, true)
  let drains = 0
  server.on('drain', () => (drains += 1))
  const blocks = Array.from({ length: 3000 }, (_, n) =>
    Buffer.from(`${n}:${'x'.repeat(n % 50 === 0 ? 60_000 : 9000)};`),
  )
  for (const block of blocks) sink.write(block)
  expect(sink.unsentBytes()).toBeGreaterThan(0)
  expect(sink.hasRoom()).toBe(false)
  client.resume()
  const whole = Buffer.concat(blocks).toString()
  await eventually('the whole text', () => text().length === whole.length)
  expect(text() === whole).toBe(true)
  await eventually('the sink has room again', () => sink.hasRoom())
  expect({ unsent: sink.unsentBytes(), sent: sink.sentBytes() }).toEqual({ unsent: 0, sent: whole.length })
  expect(drains).toBeGreaterThan(0)
})

test('a socket that takes no more is reported as writable when all is sent', async () => {
  const { server, client, text } = await pair()
  const sink = createSocketSink(server, true)
  let sent = 0
  while (sink.hasRoom()) {
    sink.write(Buffer.alloc(4000, 'y'))
    sent += 4000
  }
  expect(sink.hasRoom()).toBe(false)
  const drained = once(server, 'drain')
  client.resume()
  await drained
  expect(sink.hasRoom()).toBe(true)
  await eventually('all that was sent', () => text().length === sent)
})

test('sockets that take everything continue while another waits for its client, and each gets its own bytes', async () => {
  const [slow, quick] = [await pair(), await pair()]
  const sinks = { slow: createSocketSink(slow.server, true), quick: createSocketSink(quick.server, true) }
  quick.client.resume()
  let drains = 0
  slow.server.on('drain', () => (drains += 1))
  let sent = 0
  for (let round = 0; round < 3; round += 1) {
    while (sinks.slow.hasRoom()) {
      sinks.slow.write(Buffer.alloc(4000, 's'))
      sent += 4000
    }
    for (let n = 0; n < 100; n += 1) expect(sinks.quick.write(Buffer.from('quick;'))).toBe(0)
    expect(sinks.slow.unsentBytes()).toBeGreaterThan(0)
    slow.client.resume()
    await eventually('nothing is unsent', () => sinks.slow.unsentBytes() === 0)
    slow.client.pause()
  }
  slow.client.resume()
  await eventually('all that was sent', () => slow.text().length === sent)
  await eventually('all that was sent to the quick one', () => quick.text().length === 3 * 100 * 'quick;'.length)
  expect(slow.text() === 's'.repeat(sent)).toBe(true)
  expect(quick.text() === 'quick;'.repeat(300)).toBe(true)
  expect(drains).toBeGreaterThanOrEqual(3)
})

test('end sends the unsent bytes and then closes; writes after the end are dropped', async () => {
  const { server, client, text } = await pair()
  const sink = createSocketSink(server, true)
  sink.write(Buffer.from('last'))
  sink.end()
  sink.write(Buffer.from('too late'))
  client.resume()
  await once(client, 'close')
  expect(text()).toBe('last')
})

test('a disconnected client causes no unhandled error', async () => {
  const { server, client } = await pair()
  const sink = createSocketSink(server, true)
  client.resetAndDestroy()
  const closed = new Promise((resolve) => {
    server.once('close', resolve)
  })
  for (let n = 0; n < 100 && !server.destroyed; n += 1) sink.write(Buffer.from('more'))
  await closed
  expect(sink.write(Buffer.from('no'))).toBe(0)
})
