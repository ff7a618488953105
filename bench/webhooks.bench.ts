import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINES, eventually } from '@ariftly/testkit'
import { startWorker } from './ingest/worker.ts'
import { medians, percentile, type Bench, type Measurement } from './support/report.ts'
import { startWebhookSystem, type WebhookSystem } from './webhooks/system.ts'
import type { NoopRequest } from './webhooks/noop-jobs.ts'
import { bySize } from './support/size.ts'

const ROUNDS = bySize({ full: 3, smallest: 1 })
const TENANTS = 10
const ENDPOINTS = 100
const DELIVERIES = bySize({ full: 40_000, smallest: 500 })
const WARM_UP = bySize({ full: 20_000, smallest: 500 })
const NOOP_JOBS = bySize({ full: 20_000, smallest: 500 })
const COUNTED = bySize({ full: 5_000, smallest: 200 })
const PACED = bySize({
  full: { perS: 500, everyMs: 50, seconds: 10 } as const,
  smallest: { perS: 100, everyMs: 50, seconds: 1 } as const,
})
const CONCURRENCY = 400

/**
 * One worker process, 100 endpoints with keep-alive, every attempt stored. Throughput is of a backlog of events that are in the
 * log and projected when the worker starts: of its second half, as the process starts and compiles in the first, whose figures
 * are `cold_…`. The time from acceptance to receipt is at 500 events a second. Each event matches one webhook.
 */
export const webhooks: Bench = async (say) => {
  const system = await startWebhookSystem()
  const run: Run = { system, next: 0, say }
  try {
    await subscribeAll(system)
    const rounds: (readonly Measurement[])[] = []
    await throughput(run, { deliveries: 4000, warmUp: 2000 }) // Warm-up of all but the worker.
    for (let round = 1; round <= ROUNDS; round += 1) {
      const values = [
        ...(await throughput(run, { deliveries: DELIVERIES, warmUp: WARM_UP })),
        ...(await latency(run)),
        await noopJobs(system),
      ]
      rounds.push(values)
      say(`round ${round}: ${values.map(({ name, value }) => `${name} ${value.toFixed(1)}`).join(', ')}`)
    }
    const counted = await statements(run)
    const middle = medians(rounds)
    const of = (name: string) => middle.find((one) => one.name === name)?.value ?? Number.NaN
    const versus = of('deliveries_per_s') / of('bullmq_noop_per_s')
    return [...middle, ...counted, { name: 'vs_bullmq_noop', value: versus, unit: '' }]
  } finally {
    await system.close()
  }
}

async function subscribeAll(system: WebhookSystem): Promise<void> {
  const urls = await system.listen(Array.from({ length: ENDPOINTS }, () => 'ok' as const))
  for (const [index, url] of urls.entries()) {
    await system.subscribe({ tenant: tenantOf(index), agent: agentOf(index), url })
  }
}

interface Run {
  readonly system: WebhookSystem
  /** The number of the next event; numbers continue over all rounds. */
  next: number
  readonly say: (line: string) => void
}

interface Backlog {
  readonly deliveries: number
  /** How many of them are made before the measurement. */
  readonly warmUp: number
}

async function throughput(run: Run, { deliveries, warmUp }: Backlog): Promise<readonly Measurement[]> {
  const { system } = run
  await system.stopWorkers()
  await backlog(run, deliveries)
  await system.takeArrivals()
  await system.startWorker()
  await awaitReceived(system, warmUp)
  const [warm, commandsBefore] = [await usage(system), await system.redisCommands()]
  await awaitReceived(system, deliveries)
  const [end, commandsAfter] = [await usage(system), await system.redisCommands()]
  const arrivedMs = (await system.takeArrivals()).map(([, , atMs]) => atMs).toSorted((a, b) => a - b)
  const measured = end.received - warm.received
  const cpuMs = (part: keyof typeof end.cpu) => ((end.cpu[part] - warm.cpu[part]) / measured) * 1000
  return [
    { name: 'deliveries_per_s', value: rateOf(arrivedMs.slice(warmUp)), unit: 'deliveries/s' },
    { name: 'worker_cpu_ms_per_delivery', value: cpuMs('worker'), unit: 'ms' },
    { name: 'cold_deliveries_per_s', value: rateOf(arrivedMs.slice(0, warmUp)), unit: 'deliveries/s' },
    { name: 'cold_worker_cpu_ms_per_delivery', value: (warm.cpu.worker / warm.received) * 1000, unit: 'ms' },
    { name: 'postgres_cpu_ms_per_delivery', value: cpuMs('postgres'), unit: 'ms' },
    { name: 'redis_cpu_ms_per_delivery', value: cpuMs('redis'), unit: 'ms' },
    { name: 'redis_commands_per_delivery', value: (commandsAfter - commandsBefore) / measured, unit: 'commands' },
  ]
}

async function usage(system: WebhookSystem) {
  return { received: await system.received(), cpu: await system.cpuSeconds() }
}

function rateOf(sortedMs: readonly number[]): number {
  return (sortedMs.length / ((sortedMs.at(-1) ?? Number.NaN) - (sortedMs[0] ?? Number.NaN))) * 1000
}

/** Puts events into log and projection, evenly over all endpoints. */
async function backlog(run: Run, deliveries: number): Promise<void> {
  const { system } = run
  const perPost = 500
  for (let posted = 0; posted < deliveries; posted += perPost) {
    const tenant = (posted / perPost) % TENANTS
    const agents = Array.from({ length: perPost }, (_, index) => agentOf(tenant + TENANTS * (index % 10)))
    await system.post(tenantOf(tenant), agents, run.next)
    run.next += perPost
  }
  await system.awaitProjected(run.next)
}

async function latency(run: Run): Promise<readonly Measurement[]> {
  const { system } = run
  await system.takeArrivals()
  const perPost = (PACED.perS * PACED.everyMs) / 1000
  const posts = (PACED.seconds * 1000) / PACED.everyMs
  const first = run.next
  run.next += posts * perPost
  const acceptedMs: number[] = []
  const cpuBefore = await system.cpuSeconds()
  const startedMs = performance.now()
  const posting: Promise<void>[] = []

  async function post(number: number): Promise<void> {
    const agents = Array.from({ length: perPost }, (_, index) => agentOf((number % TENANTS) + TENANTS * (index % 10)))
    acceptedMs[number] = await system.post(tenantOf(number % TENANTS), agents, first + number * perPost)
  }

  for (let number = 0; number < posts; number += 1) {
    await sleep(Math.max(0, startedMs + number * PACED.everyMs - performance.now()))
    posting.push(post(number))
  }
  await Promise.all(posting)
  await awaitReceived(system, posts * perPost)
  const cpu = await system.cpuSeconds()
  const cpuMs = (part: 'worker' | 'postgres') => ((cpu[part] - cpuBefore[part]) / (posts * perPost)) * 1000
  const waits = (await system.takeArrivals()).map(([, number, atMs]) => {
    return Math.max(0, atMs - (acceptedMs[Math.floor((number - first) / perPost)] ?? Number.NaN))
  })
  return [
    { name: 'p50_ms', value: percentile(waits, 0.5), unit: 'ms' },
    { name: 'p95_ms', value: percentile(waits, 0.95), unit: 'ms' },
    { name: 'paced_worker_cpu_ms_per_delivery', value: cpuMs('worker'), unit: 'ms' },
    { name: 'paced_postgres_cpu_ms_per_delivery', value: cpuMs('postgres'), unit: 'ms' },
  ]
}

async function noopJobs(system: WebhookSystem): Promise<Measurement> {
  const worker = await startWorker(join(import.meta.dirname, 'webhooks/noop-jobs.ts'))
  const request: NoopRequest = { redisUrl: system.redisUrl, jobs: NOOP_JOBS, concurrency: CONCURRENCY }
  const perS = await worker.ask<number>(request)
  await worker.close()
  return { name: 'bullmq_noop_per_s', value: perS, unit: 'jobs/s' }
}

/** A round of its own, as logging each statement costs time. */
async function statements(run: Run): Promise<readonly Measurement[]> {
  const counts = await run.system.countStatements(async () => {
    await throughput(run, { deliveries: COUNTED, warmUp: 0 })
  })
  let total = 0
  for (const [text, { count, ms }] of [...counts].toSorted(([, a], [, b]) => b.ms - a.ms)) {
    total += count
    if (count > 0) run.say(`${count} × ${(ms / count).toFixed(2)} ms: ${text}`)
  }
  return [{ name: 'statements_per_delivery', value: total / COUNTED, unit: 'statements' }]
}

async function awaitReceived(system: WebhookSystem, count: number): Promise<void> {
  await eventually(`${count} deliveries are received`, async () => (await system.received()) >= count, {
    timeoutMs: DEADLINES.load,
    everyMs: 50,
  })
}

function tenantOf(index: number): string {
  return `tenant-${index % TENANTS}`
}

function agentOf(index: number): string {
  return `agent-${index}`
}
