import { EventEmitter, once } from 'node:events'
import { appendFileSync } from 'node:fs'
import { Ariftly, type NewEvent } from '@ariftly/sdk'
import { openSpool } from '@ariftly/sdk/node'
import { keepCollectingGarbage } from '@ariftly/testkit'

/** Options of a sender. */
export interface SenderOrder {
  readonly url: string
  readonly apiKey: string
  readonly attemptMs: number
  readonly tasks: number
  /** Numbers of the events to send, `to` excluded. */
  readonly from: number
  readonly to: number
  /** Without a spool: the first number that waits until the process is sent a `SenderLeave` with a greater one. Default: none waits. */
  readonly upTo?: number
  /** With a spool: its folder, and the file to which numbers are written once `trySend` has taken them. */
  readonly spool?: { readonly folder: string; readonly taken: string; readonly ids: readonly string[] }
}

/** What raises the `upTo` of an order. */
export interface SenderLeave {
  readonly upTo: number
}

/** What a sender says at its end. */
export interface SenderReport {
  readonly stats: ReturnType<Ariftly['events']['stats']>
  readonly unsent: number
  /** MiB above what the process had once it had sent its first events. */
  readonly grownMb: number
  readonly waitP99Ms: number
}

/** Events in one `send`. */
const CHUNK = 100
const LOOPS = 16

process.once('message', (order: SenderOrder) => {
  void run(order).then((report) => process.send?.(report, () => process.exit()))
})

async function run(order: SenderOrder): Promise<SenderReport> {
  const { url, apiKey, spool } = order
  const client = new Ariftly({
    baseUrl: url,
    apiKey,
    attemptTimeoutMs: order.attemptMs,
    send: spool === undefined ? {} : { spool: openSpool(spool.folder, { fileBytesMax: 64 * 1024 }) },
  })
  let { upTo = order.to } = order
  const leave = new EventEmitter().setMaxListeners(LOOPS)
  process.on('message', (message: SenderLeave) => {
    upTo = message.upTo
    leave.emit('raised')
  })
  const waits: number[] = []
  let baseBytes = 0
  let peakBytes = 0
  const watch = setInterval(sampleMemory, 50)
  // Faults that only a collection reveals, such as an unreferenced signal, then show immediately.
  const stopCollecting = keepCollectingGarbage(100)

  function sampleMemory(): void {
    const { rss } = process.memoryUsage()
    if (baseBytes === 0 && client.events.stats().accepted >= 2000) baseBytes = rss
    if (baseBytes > 0) peakBytes = Math.max(peakBytes, rss)
  }

  if (spool === undefined) await Promise.all(Array.from({ length: LOOPS }, (_, loop) => sendOwnTasks(loop)))
  else await takeAll(spool)
  const { unsent } = await client.close({ timeoutMs: 60_000 })
  sampleMemory()
  clearInterval(watch)
  stopCollecting()
  const p99 = waits.toSorted((a, b) => a - b)[Math.floor(waits.length * 0.99)] ?? 0
  return {
    stats: client.events.stats(),
    unsent: unsent.length,
    grownMb: (peakBytes - baseBytes) / 2 ** 20,
    waitP99Ms: p99,
  }

  /** Each loop has tasks of its own, so that the order of its sends is the order of their events. */
  async function sendOwnTasks(loop: number): Promise<void> {
    const own: NewEvent[] = []
    for (let number = order.from; number < order.to; number += 1) {
      if ((number % order.tasks) % LOOPS !== loop) continue
      if (number >= upTo) {
        await send(own.splice(0))
        await raisedAbove(number)
      }
      own.push(eventOf(number, order.tasks))
      if (own.length === CHUNK) await send(own.splice(0))
    }
    await send(own)
  }

  async function raisedAbove(number: number): Promise<void> {
    if (number < upTo) return
    await once(leave, 'raised')
    await raisedAbove(number)
  }

  async function send(events: NewEvent[]): Promise<void> {
    const atMs = performance.now()
    await client.events.send(events)
    waits.push(performance.now() - atMs)
  }

  async function takeAll({ taken, ids }: NonNullable<SenderOrder['spool']>): Promise<void> {
    for (let number = order.from; number < order.to; number += 1) {
      const event = { ...eventOf(number, order.tasks), id: ids[number] ?? null }
      while (!client.events.trySend(event)) await client.events.flush()
      appendFileSync(taken, `${number}\n`)
    }
  }
}

function eventOf(number: number, tasks: number): NewEvent<{ n: number }> {
  return {
    type: 'task.progress',
    task_id: `task-${number % tasks}`,
    data: { message: 'Analyzing document', n: number },
  }
}
