import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createWorld, eventually, type ServiceProcess, type World } from '@ariftly/testkit'
import { numbered } from '../support/numbered-events.ts'

const EVENTS = 50_000
const BATCH = 1000
const SLOW = 200
const FAST = 10
const MIB = 1024 * 1024
/** What is before the number of an event in its payload. */
const NUMBER = '"n":'

/** What readers that stopped for all events take to read them. */
const CAUGHT_UP_MS_MAX = 180_000

let world: World
let key: string
let gateway: ServiceProcess
const sockets = new Set<Socket>()

beforeAll(async () => {
  world = await createWorld({ env: { DRAIN_MS: '0' } })
  key = await world.apiKey('acme')
  gateway = await world.startService('stream-gateway')
})

afterAll(async () => {
  for (const socket of sockets) socket.removeAllListeners('close').destroy()
  await world?.close()
})

test(`${SLOW} readers that stop for ${EVENTS} events cost bounded memory, delay no other reader, and get everything in order, by resuming if they were closed`, async () => {
  const slow = await Promise.all(Array.from({ length: SLOW }, openReader))
  const fast = await Promise.all(Array.from({ length: FAST }, openReader))
  for (const reader of slow) reader.pause()
  const beforeBytes = gateway.residentBytes()
  let peakBytes = 0
  for (let at = 0; at < EVENTS; at += BATCH) {
    await world.append(Array.from({ length: BATCH }, (_, index) => numbered('t-slow', at + index)))
    await eventually('all fast readers have the batch', () => fast.every(({ next }) => next === at + BATCH), {
      everyMs: 2,
    })
    peakBytes = Math.max(peakBytes, gateway.residentBytes())
  }
  expect(slow.every(({ next }) => next < EVENTS)).toBe(true)
  // The ring may take 128 MiB, all that is unsent 128 MiB.
  expect(peakBytes - beforeBytes).toBeLessThan((128 + 128 + 150) * MIB)

  for (const reader of slow) reader.resume()
  await eventually('all slow readers have all events', () => slow.every(({ next }) => next === EVENTS), {
    timeoutMs: CAUGHT_UP_MS_MAX,
    everyMs: 50,
  })
  expect([...slow, ...fast].flatMap(({ wrong }) => wrong)).toEqual([])
}, 300_000)

interface Reader {
  /** The number that the next event has to have. */
  readonly next: number
  /** The first number that was another one. */
  readonly wrong: readonly number[]
  pause(): void
  resume(): void
}

/**
 * A reader that only checks that each event follows the previous one; when its connection ends it resumes by its last id. It searches
 * the bytes for two fields, as parsing ten million events would take longer than sending them.
 */
async function openReader(): Promise<Reader> {
  let next = 0
  let wrong: readonly number[] = []
  let lastId: string | undefined
  let socket = connectStream()

  function connectStream(): Socket {
    const opened = connect({ host: '127.0.0.1', port: gateway.port })
    let rest = ''
    opened.setEncoding('latin1').on('data', (chunk: string) => {
      const blocks = (rest + chunk).split('\n\n')
      rest = blocks.pop() ?? ''
      take(blocks)
    })
    opened
      .on('error', () => undefined)
      .on('close', () => {
        socket = connectStream()
      })
    const resume = lastId === undefined ? '' : `Last-Event-ID: ${lastId}\r\n`
    opened.write(
      `GET /v1/events/stream?task_id=t-slow HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${key}\r\n${resume}\r\n`,
    )
    sockets.add(opened)
    return opened
  }

  /** Takes complete blocks, with the id at the end; a cut block is sent again. */
  function take(blocks: readonly string[]): void {
    for (const block of blocks) {
      const at = block.indexOf(NUMBER)
      if (at < 0) continue
      const number = Number.parseInt(block.slice(at + NUMBER.length), 10)
      if (number !== next && wrong.length === 0) wrong = [number]
      next = number + 1
    }
    const identified = blocks.findLast((block) => block.includes('\nid: '))
    if (identified !== undefined) lastId = /\nid: (\S+)$/.exec(identified)?.[1] ?? lastId
  }

  await eventually('the first id', () => lastId !== undefined)
  return {
    get next() {
      return next
    },
    get wrong() {
      return wrong
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
  }
}
