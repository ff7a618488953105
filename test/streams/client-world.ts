import { setTimeout as sleep } from 'node:timers/promises'
import { createRandom, createWorld, eventually, randomSeed, type World } from '@ariftly/testkit'
import { numbered } from '../support/numbered-events.ts'
import { startHoppingProxy, type HoppingProxy } from '../support/hopping-proxy.ts'

/** A third-party client on the stream of one task. */
export interface ForeignClient {
  /** Numbers of the events that it has shown, in order. */
  readonly numbers: readonly number[]
  close(): void
}

/** Two gateways behind a proxy that cuts, for third-party clients. */
export interface ClientWorld {
  readonly proxy: HoppingProxy
  readonly world: World
  readonly apiKey: string
  /**
   * Posts events 0 to `count` - 1 and waits until all have arrived. Cuts start when each client has seen event 0 and end before the
   * last event, so that anything a cut repeats arrives before it.
   */
  play(clients: readonly ForeignClient[], taskId: string, count: number): Promise<void>
  close(): Promise<void>
}

const EVERY_MS = 60
/** Less than a second of events, so that each connection of a run is cut. */
const BYTES = { min: 250, max: 4000 } as const
const DROPS = 3

export async function startClientWorld(env: Readonly<Record<string, string>> = {}): Promise<ClientWorld> {
  const world = await createWorld({ env: { DRAIN_MS: '0', ...env } })
  const apiKey = await world.apiKey('acme')
  const gateways = await Promise.all([
    world.startService('projector'),
    world.startService('stream-gateway'),
    world.startService('stream-gateway'),
  ])
  const random = createRandom(randomSeed('cuts of foreign clients'))
  const ports = gateways.slice(1).map(({ port }) => port)
  const proxy = await startHoppingProxy({ ports, random, bytes: BYTES, isSparingFrameEnds: true })

  async function play(clients: readonly ForeignClient[], taskId: string, count: number): Promise<void> {
    // Events are sent until each client has shown one: earlier ones are not checked.
    await world.append([numbered(taskId, 0)])
    await eventually('each client has an event', () => clients.every(({ numbers }) => numbers.length > 0))
    proxy.setCutting(true)
    proxy.dropAll()
    for (let number = 1; number < count - 1; number += 1) {
      await world.append([numbered(taskId, number)])
      if (number % Math.ceil(count / DROPS) === 0) proxy.dropAll()
      await sleep(EVERY_MS)
    }
    proxy.setCutting(false)
    await world.append([numbered(taskId, count - 1)])
    const haveLast = () => clients.every(({ numbers }) => numbers.includes(count - 1))
    await eventually('each client has the last event', haveLast).catch(() => undefined) // The test says what is missing.
  }

  return {
    proxy,
    world,
    apiKey,
    play,
    async close() {
      await proxy.close()
      await world.close()
    },
  }
}
