import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals'
import type { ServedService } from '@ariftly/http'
import { createWorld, DEADLINES, eventually, type World } from '@ariftly/testkit'
import { EVENT, postEvents } from './attacks.ts'
import { createKey, serveIngest } from './serve-ingest.ts'

/*
 * Two tenants hold as much of ingest's memory as they can; a third one posts. The memory is the least that can be set, so that a few
 * connections suffice.
 */

const KIB = 1024
const MIB = 1024 * KIB
/** A large body of the third tenant. */
const LARGE = EVENT + ' '.repeat(2.8 * MIB)

let world: World
let ingest: ServedService
let attackers: readonly string[]
let victim: { readonly port: number; readonly key: string }
const sockets: Socket[] = []

beforeAll(async () => {
  world = await createWorld({ partitions: 2 })
  attackers = [await createKey(world, 'one'), await createKey(world, 'two')]
  ingest = await serveIngest({ ...world.env, INGEST_BUFFER_BYTES_MAX: String(16 * MIB) })
  victim = { port: ingest.port, key: await createKey(world, 'victim') }
})

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
})

afterAll(async () => {
  await ingest?.close()
  await world?.close()
})

/** A connection of each attacker in turn, whose client reads nothing. */
async function connectUnread(number: number): Promise<readonly { readonly socket: Socket; readonly key: string }[]> {
  const clients = Array.from({ length: number }, (_, at) => {
    const socket = connect(ingest.port, '127.0.0.1').pause()
    socket.on('error', () => {})
    sockets.push(socket)
    return { socket, key: attackers[at % attackers.length] ?? '' }
  })
  await Promise.all(clients.map(({ socket }) => once(socket, 'connect')))
  return clients
}

function headOf(key: string, contentLength: number): string {
  return (
    `POST /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\n` +
    `Content-Type: application/json\r\nContent-Length: ${contentLength}\r\n\r\n`
  )
}

/** Longer than a busy machine takes to validate the bodies that were read last. */
const STILL_CHECKS = 4

/** Resolves when the server has read no more from any of them for two seconds. */
async function untilStill(clients: readonly { readonly socket: Socket }[]): Promise<void> {
  const sent = (): number => clients.reduce((sum, { socket }) => sum + socket.bytesWritten - socket.writableLength, 0)
  let before = -1
  let checks = 0
  await eventually(
    'the senders are stuck',
    () => {
      const now = sent()
      checks = now === before ? checks + 1 : 0
      before = now
      return checks === STILL_CHECKS
    },
    { timeoutMs: DEADLINES.recovery, everyMs: 500 },
  )
}

async function expectRoom(): Promise<void> {
  for (const body of [EVENT, LARGE, EVENT, LARGE]) {
    const { status, body: answer } = await postEvents(victim, body)
    expect({ status, problem: status === 202 ? '' : answer }).toEqual({ status: 202, problem: '' })
  }
}

test('hundreds of bodies that do not end leave memory for the posts of another tenant', async () => {
  const clients = await connectUnread(400)
  for (const { socket, key } of clients) socket.write(headOf(key, 5 * MIB) + ' '.repeat(100 * KIB))
  await untilStill(clients)
  await expectRoom()
})

test('answers that are not read leave memory for the posts of another tenant', async () => {
  // Of a thousand entries, each of which is refused with as long a pointer as there is. With ten such bodies there is no room for a large one.
  const entries = Array.from({ length: 1000 }, () => `{"${'\\u0001'.repeat(70)}":1}`).join(',')
  const body = Buffer.from(`[${entries}]`.padEnd(1.35 * MIB))
  const clients = await connectUnread(10)
  for (const { socket, key } of clients)
    postOnAndOn(socket, Buffer.concat([Buffer.from(headOf(key, body.length)), body]))
  await untilStill(clients)
  // The server has stopped to read from each, or cut it.
  expect(clients.every(({ socket }) => socket.writableLength > 0 || socket.destroyed)).toBe(true)
  await expectRoom()
}, 180_000)

/** Posts until the server reads no more. */
function postOnAndOn(socket: Socket, post: Buffer): void {
  socket.write(post, (error) => {
    if (!error) postOnAndOn(socket, post)
  })
}
