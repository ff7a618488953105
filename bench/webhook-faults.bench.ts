import { setTimeout as sleep } from 'node:timers/promises'
import { type ServiceProcess } from '@ariftly/testkit'
import { loadAverage } from './support/process-usage.ts'
import { percentile, type Bench, type Measurement } from './support/report.ts'
import { PacedEvents } from './webhooks/paced-events.ts'
import { startWebhookSystem, type WebhookSystem } from './webhooks/system.ts'
import { bySize } from './support/size.ts'

const ROUNDS = bySize({ full: 5, smallest: 1 })
const QUIET_MS = bySize({ full: 8_000, smallest: 1_000 })
/** What a fault delays is accepted within this time after it. */
const FELT_WITHIN_MS = 15_000
const LEASES_MS = 600_000
const ENDPOINTS = bySize({ full: 20, smallest: 3 })

/** A fault and its measurements. */
type Part = (system: WebhookSystem, events: PacedEvents, say: (line: string) => void) => Promise<readonly Measurement[]>

const PARTS: Readonly<Record<string, Part>> = { kill, flush, leases }

/**
 * Effect of a fault while two workers deliver 100 events a second: the longest wait from acceptance to receipt. `kill`: a worker
 * is killed; `flush`: Redis is emptied; five rounds each. `leases` (only when named: ten minutes): how many deliveries were taken
 * back although nothing was lost.
 */
export const webhookFaults: Bench = async (say, { only } = {}) => {
  const names = only === undefined ? ['kill', 'flush'] : [only]
  const system = await startWebhookSystem()
  const urls = await system.listen(Array.from({ length: ENDPOINTS }, () => 'ok' as const))
  const measured: Measurement[] = []
  try {
    for (const [index, url] of urls.entries()) {
      await system.subscribe({ tenant: `tenant-${index % 4}`, agent: `agent-${index}`, url })
    }
    const events = new PacedEvents(system, { perS: only === 'leases' ? 500 : 100, tenants: 4, endpoints: ENDPOINTS })
    for (const name of names) {
      const part = PARTS[name]
      if (part === undefined) throw new Error(`the faults are ${Object.keys(PARTS).join(', ')}`)
      measured.push(...(await part(system, events, say)))
    }
    await events.close()
    return measured
  } finally {
    await system.close()
  }
}

async function kill(system: WebhookSystem, events: PacedEvents, say: (line: string) => void) {
  const living: ServiceProcess[] = [await system.startWorker(), await system.startWorker()]
  return await rounds('kill', events, say, async () => {
    const victim = living.shift()
    victim?.kill('SIGKILL')
    await victim?.exited
    return async () => void living.push(await system.startWorker())
  })
}

async function flush(system: WebhookSystem, events: PacedEvents, say: (line: string) => void) {
  await system.startWorker()
  return await rounds('flush', events, say, async () => {
    await system.flushRedis()
    return async () => undefined
  })
}

async function rounds(
  name: string,
  events: PacedEvents,
  say: (line: string) => void,
  fault: () => Promise<() => Promise<void>>,
): Promise<readonly Measurement[]> {
  const felt: number[] = []
  const before: number[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    await sleep(QUIET_MS)
    before.push(await events.longestWaitMs())
    const undo = await fault()
    await sleep(FELT_WITHIN_MS)
    felt.push(await events.longestWaitMs())
    await undo()
    say(`${name} ${round}: ${(felt.at(-1) ?? 0).toFixed(0)} ms, ${(before.at(-1) ?? 0).toFixed(0)} ms before it`)
  }
  return [
    { name: `${name}_felt_worst_ms`, value: Math.max(...felt), unit: 'ms' },
    { name: `${name}_felt_p50_ms`, value: percentile(felt, 0.5), unit: 'ms' },
    { name: `${name}_before_worst_ms`, value: Math.max(...before), unit: 'ms' },
  ]
}

async function leases(system: WebhookSystem, events: PacedEvents, say: (line: string) => void) {
  const workers = [await system.startWorker(), await system.startWorker()]
  const loads: number[] = []
  for (const endMs = performance.now() + LEASES_MS; performance.now() < endMs;) {
    await sleep(15_000)
    loads.push(loadAverage())
    say(`longest wait ${(await events.longestWaitMs()).toFixed(0)} ms at load ${loads.at(-1) ?? 0}`)
  }
  const ended = await Promise.all(workers.map((worker) => worker.metric('ariftly_webhook_leases_ended_total')))
  return [
    { name: 'deliveries_taken_back', value: ended.reduce((sum, count) => sum + count, 0), unit: 'deliveries' },
    { name: 'received_again', value: events.receivedAgain, unit: 'requests' },
    { name: 'load_p50', value: percentile(loads, 0.5), unit: '' },
  ]
}
