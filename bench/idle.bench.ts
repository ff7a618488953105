import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startWorker, type Worker } from './ingest/worker.ts'
import { startCentrifugo } from './streams/centrifugo.ts'
import type { ClientsOrder, ClientsState } from './streams/clients.ts'
import { CPU, startStreamSystem } from './streams/system.ts'
import { startNchan } from './streams/nchan.ts'
import { streamRequest } from './streams/workload.ts'
import { cpuSecondsOf, residentKbOf } from './support/process-usage.ts'
import type { Bench, Measurement } from './support/report.ts'
import { bySize } from './support/size.ts'

const CLIENTS = bySize({ full: 8000, smallest: 200 })
/** From the start of a process: V8 collects three times more, some half a minute later. */
const START_SETTLE_MS = bySize({ full: 45_000, smallest: 1_000 })
/** From the last stream that it opened: the less a process does, the later V8 collects, up to 80 s after it. */
const STREAMS_SETTLE_MS = bySize({ full: 90_000, smallest: 1_000 })
/** Three heartbeat periods, as the cost of streams varies within one. */
const WATCH_MS = bySize({ full: 45_000, smallest: 2_000 })

/**
 * 8,000 open streams with heartbeats only: memory and processor time of the gateway process, and of nchan's worker and Centrifugo
 * with the same number. Memory is the growth since before the streams, once the process is idle. The cost of opening them, until
 * the process is idle, is a separate figure.
 */
export const idle: Bench = async (say) => {
  const system = await startStreamSystem()
  const nchan = await startNchan(say, CPU.measured)
  const centrifugo = await startCentrifugo(say, CPU.measured)
  const clients = await startWorker(join(import.meta.dirname, 'streams/clients.ts'), CPU.others)
  try {
    await sleep(START_SETTLE_MS)
    const path = '/v1/events/stream?types=task.failed'
    const request = streamRequest(path, system.apiKey)
    const ours = await measure(clients, { port: system.gateway.port, pids: [system.gateway.pid], request })
    say(`ours ${JSON.stringify(ours)}`)
    const theirs = await measure(clients, { port: nchan.port, pids: nchan.pids, request: streamRequest('/sub') })
    const ofCentrifugo = centrifugo && (await measure(clients, centrifugo))
    return [
      { name: 'rss_per_connection_kb', value: ours.kb, unit: 'KB' },
      { name: 'cpu_percent', value: ours.percent, unit: '%' },
      { name: 'cpu_percent_before', value: ours.percentBefore, unit: '%' },
      { name: 'opening_us_per_stream', value: ours.openingUs, unit: 'us' },
      { name: 'nchan_rss_per_connection_kb', value: theirs.kb, unit: 'KB' },
      { name: 'nchan_cpu_percent', value: theirs.percent, unit: '%' },
      { name: 'nchan_opening_us_per_stream', value: theirs.openingUs, unit: 'us' },
      ...(ofCentrifugo === undefined
        ? []
        : [
            { name: 'centrifugo_rss_per_connection_kb', value: ofCentrifugo.kb, unit: 'KB' },
            { name: 'centrifugo_cpu_percent', value: ofCentrifugo.percent, unit: '%' },
          ]),
    ] satisfies readonly Measurement[]
  } finally {
    await clients.close()
    await nchan.close()
    await centrifugo?.close()
    await system.close()
  }
}

interface Idle {
  readonly kb: number
  readonly percent: number
  /** The same without any stream. */
  readonly percentBefore: number
  /** Processor time from the first request until the process is idle, including its idle work. */
  readonly openingUs: number
}

async function measure(
  clients: Worker,
  o: { readonly port: number; readonly pids: readonly number[]; readonly request: string },
): Promise<Idle> {
  const ask = (order: ClientsOrder) => clients.ask<ClientsState>(order)
  const percentBefore = await cpuPercent(o.pids, WATCH_MS / 2)
  const before = { kb: residentKbOf(o.pids), cpuS: cpuSecondsOf(o.pids) }
  await ask({ do: 'open', port: o.port, count: CLIENTS, requests: [o.request] })
  await sleep(STREAMS_SETTLE_MS)
  const openingUs = ((cpuSecondsOf(o.pids) - before.cpuS) / CLIENTS) * 1e6
  const percent = await cpuPercent(o.pids, WATCH_MS)
  const kb = (residentKbOf(o.pids) - before.kb) / CLIENTS
  const { closed } = await ask({ do: 'await', deliveries: 0, timeoutMs: 0 })
  if (closed > 0) throw new Error(`${closed} idle streams were closed`)
  await ask({ do: 'close' })
  return { kb, percent, percentBefore, openingUs }
}

/** Of one core. */
async function cpuPercent(pids: readonly number[], ms: number): Promise<number> {
  const startedMs = performance.now()
  const before = cpuSecondsOf(pids)
  await sleep(ms)
  return ((cpuSecondsOf(pids) - before) / (performance.now() - startedMs)) * 1e5
}
