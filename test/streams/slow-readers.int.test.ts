import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createWorld, eventually, startServiceProcess, type ServiceProcess, type World } from '@ariftly/testkit'
import { createLogWriter, numbered, type LogWriter } from './log-writer.ts'

const EVENTS = 50_000
const BATCH = 1000
const SLOW = 200
const FAST = 10
const MIB = 1024 * 1024

let world: World
let key: string
let log: LogWriter
let gateway: ServiceProcess

beforeAll(async () => {
  world = await createWorld({ env: { DRAIN_MS: '0' } })
  key = await world.apiKey('acme')
  log = createLogWriter(world)
  gateway = await startServiceProcess('stream-gateway', world.env)
}, 60_000)

afterAll(async () => {
  gateway?.kill('SIGTERM')
  await gateway?.exited
  await log?.close()
  await world?.close()
}, 30_000)

test(`${SLOW} readers that stop for ${EVENTS} events cost bounded memory, hold nobody up, and then get everything in order`, async () => {
  const slow = await Promise.all(Array.from({ length: SLOW }, openReader))
  const fast = await Promise.all(Array.from({ length: FAST }, openReader))
  for (const { socket } of slow) socket.pause()
  const beforeBytes = residentBytes()
  let peakBytes = 0
  for (let at = 0; at < EVENTS; at += BATCH) {
    await log.append(Array.from({ length: BATCH }, (_, index) => numbered('t-slow', at + index)))
    await eventually(() => fast.every(({ next }) => next === at + BATCH), { timeoutMs: 20_000, everyMs: 2 })
    peakBytes = Math.max(peakBytes, residentBytes())
  }
  expect(slow.every(({ next }) => next < EVENTS)).toBe(true)
  // The ring may take 128 MiB, and each slow reader 256 KiB and what one slice is over that.
  expect(peakBytes - beforeBytes).toBeLessThan((128 + 0.5 * SLOW + 150) * MIB)

  for (const { socket } of slow) socket.resume()
  await eventually(() => slow.every(({ next, ended }) => next === EVENTS || ended), { timeoutMs: 90_000, everyMs: 50 })
  // All are in time here: none had stood still for so long that it was closed.
  expect(slow.filter(({ ended }) => ended)).toEqual([])
  expect([...slow, ...fast].flatMap(({ wrong }) => wrong)).toEqual([])
}, 180_000)

interface Reader {
  readonly socket: Socket
  /** The number that the next event has to have. */
  next: number
  /** The first number that was another one. */
  wrong: number[]
  ended: boolean
}

/** A reader that only looks whether each event is the one after the last. */
async function openReader(): Promise<Reader> {
  const socket = connect({ host: '127.0.0.1', port: gateway.port })
  const reader: Reader = { socket, next: 0, wrong: [], ended: false }
  let rest: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    let from = 0
    for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, from)) {
      const end = bytes.indexOf(END, at)
      if (end === -1) break
      const number = Number(bytes.toString('latin1', at + MARK.length, end))
      if (number !== reader.next && reader.wrong.length === 0) reader.wrong = [number]
      reader.next = number + 1
      from = end
    }
    rest = bytes.subarray(Math.max(from, bytes.length - KEPT))
  })
  socket.on('close', () => {
    reader.ended = true
  })
  socket.write(`GET /v1/events/stream?task_id=t-slow HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\n\r\n`)
  await new Promise((resolve, reject) => {
    socket.once('data', resolve)
    socket.once('error', reject)
  })
  return reader
}

const MARK = Buffer.from('"n":')
const END = 0x7d // The brace behind the number.
const KEPT = 16

function residentBytes(): number {
  const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8')
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024
}
