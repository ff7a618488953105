import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startCuttingProxy, type CuttingProxy } from './cutting-proxy.ts'
import { eventually } from './eventually.ts'

/** Far longer than bytes take that are not held back. */
const STILL_MS = 50
let target: Server
let proxy: CuttingProxy
let arrived: string

beforeEach(async () => {
  arrived = ''
  target = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => {
      arrived += chunk.toString()
      socket.write(`got ${chunk.toString()}`)
    })
  })
  target.listen(0, '127.0.0.1')
  await once(target, 'listening')
  proxy = await startCuttingProxy({ host: '127.0.0.1', port: (target.address() as AddressInfo).port })
})
afterEach(async () => {
  await proxy.close()
  target.close()
})

test('passes bytes in both directions', async () => {
  const client = await connect()
  client.write('hello')
  expect(await nextText(client)).toBe('got hello')
})

test('resets a connection after exactly the given number of bytes', async () => {
  proxy.cutAfterBytes(3)
  const client = await connect()
  const closed = closing(client)
  client.write('hello')
  await closed
  await eventually('half of the answer has arrived', () => arrived === 'hel')
  expect(proxy.connections).toBe(0)
  proxy.cutAfterBytes(undefined)
  const other = await connect()
  other.write('whole')
  expect(await nextText(other)).toBe('got whole')
})

test('holds back data of open connections, and takes new ones', async () => {
  const client = await connect()
  proxy.freezeOpen()
  client.write('held back')
  const other = await connect()
  other.write('passes')
  expect(await nextText(other)).toBe('got passes')
  expect(arrived).toBe('passes')
  expect(proxy.connections).toBe(2)
})

test('resets a connection in place of an answer', async () => {
  proxy.cutAnswersTo((chunk) => chunk.toString() === 'lost')
  const client = await connect()
  client.write('hello')
  expect(await nextText(client)).toBe('got hello')
  const closed = closing(client)
  let answered = ''
  client.on('data', (chunk) => (answered += chunk.toString()))
  client.write('lost')
  await closed
  expect(arrived).toBe('hellolost')
  expect(answered).toBe('')
})

test('delays the answers of the connections whose request is named', async () => {
  proxy.delayAnswersTo((chunk) => chunk.toString() === 'slow', 200)
  const [slow, quick] = [await connect(), await connect()]
  const startedMs = performance.now()
  slow.write('slow')
  const answered = nextText(slow)
  quick.write('quick')
  expect(await nextText(quick)).toBe('got quick')
  expect(await answered).toBe('got slow')
  expect(performance.now() - startedMs).toBeGreaterThan(190)
})

test('holds bytes back while frozen, and lets them pass afterwards', async () => {
  const client = await connect()
  await eventually('one connection', () => proxy.connections === 1)
  proxy.freeze()
  client.write('later')
  await delay(STILL_MS)
  expect(arrived).toBe('')
  proxy.resume()
  expect(await nextText(client)).toBe('got later')
})

test('drops all connections and takes new ones', async () => {
  const client = await connect()
  await eventually('one connection', () => proxy.connections === 1)
  const closed = closing(client)
  proxy.dropAll()
  await closed
  const other = await connect()
  other.write('again')
  expect(await nextText(other)).toBe('got again')
})

async function connect(): Promise<Socket> {
  const client = createConnection(proxy.port, '127.0.0.1')
  client.on('error', () => undefined)
  await once(client, 'connect')
  return client
}

/** Resolves when the socket is closed; a reset is expected and no error. */
function closing(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => {
      resolve()
    })
  })
}

async function nextText(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer]
  return chunk.toString()
}
