import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startWorker, type Worker } from './ingest/worker.ts'
import { CENTRIFUGO_PUBLISH, centrifugoBody, centrifugoTextBytes, startCentrifugo } from './streams/centrifugo.ts'
import type { ClientsOrder, Waits } from './streams/clients.ts'
import { monotonicMs } from './streams/clock.ts'
import { endToEndLatency } from './streams/end-to-end-latency.ts'
import { CPU, startStreamSystem } from './streams/system.ts'
import { startNchan } from './streams/nchan.ts'
import { FRAME_BYTES, message, streamRequest } from './streams/workload.ts'
import type { Bench, Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const CLIENTS = bySize({ full: 1000, smallest: 50 })
const EVENTS = bySize({ full: 300, smallest: 10 })
const WARM_UP = bySize({ full: 50, smallest: 2 })
const EVERY_MS = 100
const PATIENCE_MS = 120_000

/**
 * 1,000 clients that each get 10 events a second: from ingest's answer at the poster to each client's read, through ingest, Kafka
 * and the gateway. For comparison the same with nchan and Centrifugo, from publishing to each read, and Kafka's own
 * EndToEndLatency.
 */
export const fanoutLatency: Bench = async (say) => {
  const system = await startStreamSystem({ withIngest: true })
  const nchan = await startNchan(say, CPU.measured)
  const centrifugo = await startCentrifugo(say, CPU.measured)
  const clients = await startWorker(join(import.meta.dirname, 'streams/clients.ts'), CPU.others)
  const ask = <A>(order: ClientsOrder) => clients.ask<A>(order)

  async function measure(o: Subject): Promise<Waits> {
    await ask({ do: 'open', port: o.port, count: CLIENTS, requests: [o.request] })
    try {
      await publishPaced(o, 0, WARM_UP)
      await ask({ do: 'await', deliveries: WARM_UP * CLIENTS, timeoutMs: PATIENCE_MS })
      await ask({ do: 'time' })
      const fromMs = await publishPaced(o, WARM_UP, EVENTS)
      await ask({ do: 'await', deliveries: (WARM_UP + EVENTS) * CLIENTS, timeoutMs: PATIENCE_MS })
      return await ask<Waits>({ do: 'waits', fromMs })
    } finally {
      await ask({ do: 'close' })
    }
  }

  try {
    const authorization = { authorization: `Bearer ${system.apiKey}` }
    const ours = await measure({
      from: 'answered',
      port: system.gateway.port,
      request: streamRequest('/v1/events/stream?agent=bench', system.apiKey),
      publish: (number) => post(`${system.ingest?.url ?? ''}/v1/events`, event(number), authorization),
    })
    say(`ours ${JSON.stringify(ours)}`)
    const theirs = await measure({
      from: 'sent',
      port: nchan.port,
      request: streamRequest('/sub'),
      publish: (number) => post(`http://127.0.0.1:${nchan.port}/pub`, message(number, FRAME_BYTES - 26), {}),
    })
    const centrifugoWaits =
      centrifugo &&
      (await measure({
        from: 'sent',
        port: centrifugo.port,
        request: centrifugo.request,
        publish(number) {
          const body = centrifugoBody(message(number, centrifugoTextBytes(FRAME_BYTES)))
          return post(`http://127.0.0.1:${centrifugo.port}${CENTRIFUGO_PUBLISH}`, body, {})
        },
      }))
    const { broker, topic } = system
    const kafka = await endToEndLatency({ broker, topic: `${topic}.latency`, records: 1000, bytes: FRAME_BYTES, say })
    return [
      ms('p50_ms', ours.p50Ms),
      ms('p99_ms', ours.p99Ms),
      ms('max_ms', ours.maxMs),
      ms('nchan_p50_ms', theirs.p50Ms),
      ms('nchan_p99_ms', theirs.p99Ms),
      ...(centrifugoWaits === undefined
        ? []
        : [ms('centrifugo_p50_ms', centrifugoWaits.p50Ms), ms('centrifugo_p99_ms', centrifugoWaits.p99Ms)]),
      ms('kafka_end_to_end_p50_ms', kafka.p50Ms),
      ms('kafka_end_to_end_p99_ms', kafka.p99Ms),
    ]
  } finally {
    await endAll([clients, nchan, ...(centrifugo === undefined ? [] : [centrifugo]), system])
  }
}

interface Subject {
  /** Whether waits begin when an event is handed over, or when the answer says that it was taken. */
  readonly from: 'sent' | 'answered'
  readonly port: number
  readonly request: string
  /** Resolves when the event was taken. */
  publish(number: number): Promise<void>
}

/** Publishes at a steady rate, independent of answers; returns the moment from which each number's wait counts. */
async function publishPaced(o: Subject, from: number, count: number): Promise<number[]> {
  const fromMs: number[] = Array.from({ length: from }, () => 0)
  const startedMs = monotonicMs()
  const publishing: Promise<void>[] = []

  async function publishOne(number: number): Promise<void> {
    fromMs[number] = monotonicMs()
    await o.publish(number)
    if (o.from === 'answered') fromMs[number] = monotonicMs()
  }

  for (let index = 0; index < count; index += 1) {
    await sleep(Math.max(0, startedMs + index * EVERY_MS - monotonicMs()))
    publishing.push(publishOne(from + index))
  }
  await Promise.all(publishing)
  return fromMs
}

function event(number: number): string {
  return JSON.stringify({
    type: 'task.progress',
    task_id: 'task_1',
    agent: 'bench',
    data: { message: message(number, 52) },
  })
}

async function post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body,
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${text.slice(0, 300)}`)
}

function ms(name: string, value: number): Measurement {
  return { name, value, unit: 'ms' }
}

async function endAll(parts: readonly Pick<Worker, 'close'>[]): Promise<void> {
  for (const part of parts) await part.close()
}
