import { connect, type Socket } from 'node:net'
import { eventually } from '@ariftly/testkit'
import { createFeed, type Feed } from '../streams/feed.ts'
import { startStreamSystem, type StreamSystem } from '../streams/system.ts'
import { streamRequest } from '../streams/workload.ts'
import { bySize } from '../support/size.ts'

/** A gateway with a stream of a victim on it, and the key and the log of another tenant. */
export interface StreamVictim {
  readonly system: StreamSystem
  /** A key of tenant `rude`. */
  readonly rudeKey: string
  readonly rudeFeed: Feed
  /** Waits of one window: from the moment that the log has an event to its read, ms. */
  measure(): Promise<readonly number[]>
  /** Opens a stream; it reads nothing if it is paused. */
  open(path: string, key: string): Promise<Socket>
  close(): Promise<void>
}

const EVENTS = bySize({ full: 100, smallest: 10 })
const PAUSE_MS = 20
const TASK = 'calm'

export async function startStreamVictim(env: Readonly<Record<string, string>> = {}): Promise<StreamVictim> {
  const system = await startStreamSystem({ env, withProjector: true })
  const feed = createFeed(system)
  const rudeFeed = createFeed({ ...system, tenant: 'rude', textBytes: 1000 })
  const rudeKey = await system.addKey('rude')
  const arrivedMs = new Map<number, number>()
  const watch = await open(`/v1/events/stream?task_id=${TASK}`, system.apiKey)
  watch.on('data', (chunk: Buffer) => {
    for (const [, number] of chunk.toString('latin1').matchAll(/~(\d{7})/g))
      arrivedMs.set(Number(number), performance.now())
  })
  let next = 0

  async function open(path: string, key: string): Promise<Socket> {
    const socket = connect({ host: '127.0.0.1', port: system.gateway.port })
    socket.on('error', () => undefined)
    socket.write(streamRequest(path, key))
    await new Promise((resolve) => socket.once('data', resolve))
    return socket
  }

  async function measure(): Promise<readonly number[]> {
    const writtenMs = new Map<number, number>()
    for (let sent = 0; sent < EVENTS; sent += 1) {
      const number = next
      next += 1
      await feed.send([{ number, taskId: TASK }])
      writtenMs.set(number, performance.now())
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
    await eventually('all events of the victim are streamed', () =>
      [...writtenMs.keys()].every((number) => arrivedMs.has(number)),
    )
    return [...writtenMs].map(([number, atMs]) => Math.max(0, (arrivedMs.get(number) ?? 0) - atMs))
  }

  return {
    system,
    rudeKey,
    rudeFeed,
    measure,
    open,
    async close() {
      watch.destroy()
      await feed.close()
      await rudeFeed.close()
      await system.close()
    },
  }
}

/** Calls something again and again until it is ended. */
export function repeat(work: () => Promise<unknown>): () => Promise<void> {
  const stopping = new AbortController()
  async function run(): Promise<void> {
    while (!stopping.signal.aborted) await work()
  }
  const running = run()
  return async () => {
    stopping.abort()
    await running
  }
}
