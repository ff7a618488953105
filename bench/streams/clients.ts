import { connect, type Socket } from 'node:net'
import { serveMessages } from '../ingest/worker.ts'
import { monotonicMs } from './clock.ts'

/** What this worker can be asked. */
export type ClientsOrder =
  | {
      readonly do: 'open'
      readonly port: number
      readonly count: number
      /** Complete HTTP requests; connections take them in turn. */
      readonly requests: readonly string[]
    }
  /** Answers when this many deliveries have arrived since the clients were opened. */
  | { readonly do: 'await'; readonly deliveries: number; readonly timeoutMs: number }
  /** From now on the moment of each delivery is kept. */
  | { readonly do: 'time' }
  /** Waits of all deliveries: from the moment given for each numbered event to the client's read. */
  | { readonly do: 'waits'; readonly fromMs: readonly number[] }
  /** They read nothing more. */
  | { readonly do: 'pause' }
  | { readonly do: 'close' }

/** How far they are. */
export interface ClientsState {
  readonly open: number
  readonly deliveries: number
  readonly bytes: number
  readonly closed: number
}

/** Waits of deliveries, ms. */
export interface Waits {
  readonly deliveries: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Is once in each event, before its number of seven digits, and nowhere else on the wire. */
const MARK = 0x7e
const NUMBER_DIGITS = 7
const OPENED_AT_ONCE = 200
const SAMPLES_MAX = 4_000_000

let sockets: Socket[] = []
/** Grows when all are closed, so that late events of those count no more. */
let era = 0
let open = 0
let closed = 0
let deliveries = 0
let bytes = 0
let samples: { readonly numbers: Int32Array; readonly atMs: Float64Array; count: number } | undefined
let awaited: { readonly deliveries: number; readonly resolve: () => void } | undefined

if (process.send !== undefined) serveMessages((order) => answer(order as ClientsOrder))

async function answer(order: ClientsOrder): Promise<ClientsState | Waits> {
  switch (order.do) {
    case 'open':
      await openAll(order)
      return state()
    case 'await':
      await awaitDeliveries(order.deliveries, order.timeoutMs)
      return state()
    case 'time':
      samples = { numbers: new Int32Array(SAMPLES_MAX), atMs: new Float64Array(SAMPLES_MAX), count: 0 }
      return state()
    case 'waits':
      return waits(order.fromMs)
    case 'pause':
      for (const socket of sockets) socket.pause()
      return state()
    case 'close':
      for (const socket of sockets) socket.destroy()
      sockets = []
      era += 1
      open = closed = deliveries = bytes = 0
      samples = undefined
      return state()
  }
}

function state(): ClientsState {
  return { open, deliveries, bytes, closed }
}

async function openAll(order: Extract<ClientsOrder, { do: 'open' }>): Promise<void> {
  for (let at = 0; at < order.count; at += OPENED_AT_ONCE) {
    const some = Math.min(OPENED_AT_ONCE, order.count - at)
    await Promise.all(
      Array.from({ length: some }, (_, index) => {
        return openOne(order.port, order.requests[(at + index) % order.requests.length] ?? '')
      }),
    )
  }
}

async function openOne(port: number, request: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port })
    sockets.push(socket)
    socket.write(request)
    socket.once('data', (chunk: Buffer) => {
      const head = chunk.toString('latin1', 0, 15)
      if (head.startsWith('HTTP/1.1 200')) {
        open += 1
        resolve()
      } else reject(new Error(`a stream answered: ${chunk.toString('latin1', 0, 300)}`))
    })
    const mine = era
    socket.on('data', (chunk: Buffer) => mine === era && take(chunk))
    socket.on('error', reject)
    socket.on('close', () => {
      if (mine === era) closed += 1
    })
  })
}

function take(chunk: Buffer): void {
  bytes += chunk.length
  const nowMs = samples === undefined ? 0 : monotonicMs()
  for (let at = chunk.indexOf(MARK); at !== -1; at = chunk.indexOf(MARK, at + 1)) {
    deliveries += 1
    if (samples !== undefined) note(chunk, at + 1, nowMs)
  }
  if (awaited !== undefined && deliveries >= awaited.deliveries) awaited.resolve()
}

/** A number that the end of a chunk cuts is not taken. */
function note(chunk: Buffer, at: number, nowMs: number): void {
  if (samples === undefined || at + NUMBER_DIGITS > chunk.length || samples.count >= SAMPLES_MAX) return
  samples.numbers[samples.count] = Number(chunk.toString('latin1', at, at + NUMBER_DIGITS))
  samples.atMs[samples.count] = nowMs
  samples.count += 1
}

async function awaitDeliveries(wanted: number, timeoutMs: number): Promise<void> {
  if (deliveries >= wanted) return
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(new Error(`${deliveries} of ${wanted} deliveries arrived within ${timeoutMs} ms; ${closed} closed`))
    }, timeoutMs)
    awaited = {
      deliveries: wanted,
      resolve() {
        clearTimeout(timer)
        awaited = undefined
        resolve()
      },
    }
  })
}

function waits(fromMs: readonly number[]): Waits {
  const { numbers, atMs, count } = samples ?? { numbers: [], atMs: [], count: 0 }
  const all = new Float64Array(count)
  for (let index = 0; index < count; index += 1) {
    // A delivery may be here before its poster has read the answer: that is no waiting at all.
    all[index] = Math.max(0, (atMs[index] ?? 0) - (fromMs[numbers[index] ?? -1] ?? Number.NaN))
  }
  all.sort()
  const at = (share: number) => all[Math.max(0, Math.ceil(share * count) - 1)] ?? 0
  return { deliveries: count, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
