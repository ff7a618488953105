import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import { startWorker, type Worker } from './ingest/worker.ts'
import type { ClientsOrder, ClientsState } from './streams/clients.ts'
import {
  CENTRIFUGO_PUBLISH,
  centrifugoBody,
  centrifugoTextBytes,
  startCentrifugo,
  type Centrifugo,
} from './streams/centrifugo.ts'
import { createFeed } from './streams/feed.ts'
import { CPU, startStreamSystem } from './streams/system.ts'
import { startNchan } from './streams/nchan.ts'
import type { PeerOrder } from './streams/peers.ts'
import { FRAME_BYTES, message, streamRequest } from './streams/workload.ts'
import { cpuSecondsOf } from './support/process-usage.ts'
import { medians, type Bench, type Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const CLIENTS = bySize({ full: 1000, smallest: 50 })
/** Many and short: results of one round are compared, and the machine's speed changes over time. */
const ROUNDS = bySize({ full: 9, smallest: 1 })
const EVENTS = bySize({ full: { single: 80, burst: 25 } as const, smallest: { single: 5, burst: 2 } as const })
const BURST = 10
/**
 * Events before the first round, in rounds: JavaScript is compiled while it runs, and code that runs once an event late. nchan
 * and Centrifugo are compiled already.
 */
const WARM_UP = { javascript: 20, native: 2 } as const
const PATIENCE_MS = 60_000

/**
 * Deliveries per second of processor time of the serving process, as the kernel counts it, with 1,000 clients and frames of
 * about 220 bytes. The next event is written when all clients have the previous one, so that each write carries one event (in
 * bursts ten) on a busy machine too. All servers are warmed up. The gateway reads the real Kafka and its clients have all kinds
 * of filters; the others get events over HTTP: nginx with nchan, Centrifugo (if there is a `go` to build it), better-sse, and a
 * bare `res.write` of a ready Buffer.
 */
export const fanout: Bench = async (say) => {
  const workers: Worker[] = []
  const publishers = new Map<Target, Publisher>()
  const system = await startStreamSystem()
  const feed = createFeed(system)
  const nchan = await startNchan(say, CPU.measured)
  const centrifugo = await startCentrifugo(say, CPU.measured)
  try {
    const ours = {
      name: 'gateway',
      warmUp: WARM_UP.javascript,
      pids: [system.gateway.pid],
      port: system.gateway.port,
      requests: filters(system.apiKey),
    }
    const targets: readonly Target[] = [
      {
        ...ours,
        publish: (numbers) => feed.send(numbers.map((number) => ({ number, taskId: 'task_1' }))),
        close: nothing,
      },
      nchanTarget(nchan.port, nchan.pids),
      ...(centrifugo === undefined ? [] : [centrifugoTarget(centrifugo)]),
      await peerTarget('better-sse'),
      await peerTarget('raw-write'),
    ]
    for (const target of targets)
      publishers.set(target, await openClients(await worker('clients.ts', CPU.others), target))
    const rounds: (readonly Measurement[])[] = []
    for (let round = 0; round <= ROUNDS; round += 1) {
      const measured: Measurement[] = []
      for (const [target, publisher] of publishers) {
        measured.push(...(await measure(target, publisher, round === 0 ? target.warmUp : 1)))
      }
      say(`round ${round}: ${measured.map(({ name, value }) => `${name} ${value.toFixed(2)}`).join(', ')}`)
      if (round > 0) rounds.push([...measured, ...ratios(measured)]) // Round 0 warms up.
    }
    return medians(rounds)
  } finally {
    for (const target of publishers.keys()) target.close()
    await Promise.all(workers.map((each) => each.close()))
    await nchan.close()
    await centrifugo?.close()
    await feed.close()
    await system.close()
  }

  async function worker(name: string, cpu: number): Promise<Worker> {
    const started = await startWorker(join(import.meta.dirname, 'streams', name), cpu)
    workers.push(started)
    return started
  }

  async function peerTarget(peer: PeerOrder['peer']): Promise<Target> {
    const served = await worker('peers.ts', CPU.measured)
    const { port } = await served.ask<{ port: number }>({ peer })
    const overhead = `event: task.progress\nid: ${'i'.repeat(40)}\ndata: \n\n`.length
    const poster = createPoster(port, '/', (number) => message(number, FRAME_BYTES - overhead))
    const warmUp = WARM_UP.javascript
    return { name: peer, warmUp, pids: [served.pid], port, requests: [streamRequest('/')], ...poster }
  }
}

/** A measured server: its process, and how to connect clients and publish events. */
interface Target {
  readonly name: string
  /** Rounds' worth of events before the first round. */
  readonly warmUp: number
  readonly pids: readonly number[]
  readonly port: number
  readonly requests: readonly string[]
  /** Hands over events with these numbers, as close together as it can. */
  publish(numbers: readonly number[]): Promise<void>
  close(): void
}

/** Every kind of filter; the events match all of them. */
function filters(apiKey: string): string[] {
  const queries = [
    '',
    'task_id=task_1',
    'agent=bench',
    'types=task.progress,task.failed',
    'agent=bench&types=task.progress',
  ]
  return queries.map((query) => streamRequest(`/v1/events/stream?${query}`, apiKey))
}

function nchanTarget(port: number, pids: readonly number[]): Target {
  // What nchan writes around a message: `id: 1784709937:0`, `data: `.
  const bytes = FRAME_BYTES - 'id: 1784709937:0\ndata: \n\n'.length
  const poster = createPoster(port, '/pub', (number) => message(number, bytes))
  return { name: 'nchan', warmUp: WARM_UP.native, pids, port, requests: [streamRequest('/sub')], ...poster }
}

function centrifugoTarget({ port, pids, request }: Centrifugo): Target {
  const bytes = centrifugoTextBytes(FRAME_BYTES)
  const poster = createPoster(port, CENTRIFUGO_PUBLISH, (number) => centrifugoBody(message(number, bytes)))
  return { name: 'centrifugo', warmUp: WARM_UP.native, pids, port, requests: [request], ...poster }
}

/** Posts events one a request; a burst is one write on one connection. */
function createPoster(
  port: number,
  path: string,
  bodyOf: (number: number) => string,
): Pick<Target, 'publish' | 'close'> {
  let socket: Socket | undefined

  async function publish(numbers: readonly number[]): Promise<void> {
    if (socket === undefined || socket.destroyed) {
      socket = connect({ host: '127.0.0.1', port })
      socket.on('error', nothing).resume()
      await once(socket, 'connect')
    }
    const requests = numbers.map((number) => {
      const body = bodyOf(number)
      const head = `Host: 127.0.0.1\r\nContent-Type: ${body.startsWith('{') ? 'application/json' : 'text/plain'}`
      return `POST ${path} HTTP/1.1\r\n${head}\r\nContent-Length: ${body.length}\r\n\r\n${body}`
    })
    socket.write(requests.join(''))
  }

  return { publish, close: () => socket?.destroy() }
}

/** Feeds so many writes of so many events; gives deliveries per second of processor time. */
type Publisher = (writes: number, size: number) => Promise<number>

/** Opens the clients of a target. They stay open, so that what opening leaves to be collected is in no figure. */
async function openClients(clients: Worker, target: Target): Promise<Publisher> {
  const ask = (order: ClientsOrder) => clients.ask<ClientsState>(order)
  await ask({ do: 'open', port: target.port, count: CLIENTS, requests: target.requests })
  let number = 0
  return async function feed(writes, size) {
    const from = number
    const before = cpuSecondsOf(target.pids)
    for (let write = 0; write < writes; write += 1) {
      await target.publish(Array.from({ length: size }, (_, index) => number + index))
      number += size
      await ask({ do: 'await', deliveries: number * CLIENTS, timeoutMs: PATIENCE_MS })
    }
    return ((number - from) * CLIENTS) / (cpuSecondsOf(target.pids) - before)
  }
}

async function measure(target: Target, publisher: Publisher, share: number): Promise<readonly Measurement[]> {
  await publisher(10, 1)
  const single = await publisher(EVENTS.single * share, 1)
  const burst = await publisher(EVENTS.burst * share, BURST)
  return [
    { name: `${label(target)}_per_cpu_s`, value: single, unit: 'deliveries/s' },
    { name: `${label(target)}_burst10_per_cpu_s`, value: burst, unit: 'deliveries/s' },
  ]
}

function label(target: Target): string {
  return target.name.replaceAll('-', '_')
}

function ratios(measured: readonly Measurement[]): readonly Measurement[] {
  const of = (name: string) => measured.find((each) => each.name === name)?.value ?? Number.NaN
  const ours = of('gateway_per_cpu_s')
  return [
    { name: 'vs_nchan', value: ours / of('nchan_per_cpu_s'), unit: '' },
    {
      name: 'burst10_vs_nchan',
      value: of('gateway_burst10_per_cpu_s') / of('nchan_burst10_per_cpu_s'),
      unit: '',
    },
    ...(measured.some(({ name }) => name === 'centrifugo_per_cpu_s')
      ? [{ name: 'vs_centrifugo', value: ours / of('centrifugo_per_cpu_s'), unit: '' }]
      : []),
    { name: 'vs_better_sse', value: ours / of('better_sse_per_cpu_s'), unit: '' },
    { name: 'vs_raw_write', value: ours / of('raw_write_per_cpu_s'), unit: '' },
  ]
}

function nothing(): void {}
