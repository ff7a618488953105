import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '@ariftly/testkit'
import { loadAverage } from './support/process-usage.ts'
import { percentile, type Bench } from './support/report.ts'
import { startWebhookSystem, type WebhookSystem } from './webhooks/system.ts'

const HEALTHY = { tenants: 5, perS: 25, seconds: 20, everyMs: 40 } as const
const NOISE_TIMES = 20
const BACKLOG = 20_000
const NOISY = 'noisy'
const KINDS = ['ok', 'ok', 'ok', 'ok', 'ok', 'dead', 'slow', 'ok'] as const
/** Events of others have numbers from here on. */
const OTHERS_FROM = 10_000_000

/**
 * Whether anybody is delayed by others: p95 from acceptance to receipt of five healthy tenants, first alone, then beside an
 * endpoint that accepts and says nothing and has 20,000 deliveries pending, one that answers after 14 s, and a tenant that sends
 * twenty times as much as one of them.
 */
export const fairness: Bench = async (say) => {
  const system = await startWebhookSystem()
  try {
    const urls = await system.listen(KINDS)
    for (const [index, url] of urls.entries()) {
      const tenant = index < HEALTHY.tenants ? `healthy-${index}` : index === 7 ? NOISY : 'ill'
      await system.subscribe({ tenant, agent: `agent-${index}`, url })
    }
    await system.startWorker()
    await healthy(system, 0) // Warm-up.
    const alone = await healthy(system, 100_000)
    say(`alone: p95 ${alone.p95.toFixed(1)} ms`)
    await others(system, 'ill', 5, BACKLOG)
    await others(system, 'ill', 6, 2_000)
    await pendingAtLeast(system, BACKLOG)
    const stop = new AbortController()
    const noise = makeNoise(system, stop.signal)
    await sleep(2000)
    const beside = await healthy(system, 200_000)
    stop.abort()
    const noisy = await noise
    say(`beside them: p95 ${beside.p95.toFixed(1)} ms; the noisy tenant sent ${noisy} events`)
    return [
      { name: 'healthy_p50_alone_ms', value: alone.p50, unit: 'ms' },
      { name: 'healthy_p95_alone_ms', value: alone.p95, unit: 'ms' },
      { name: 'healthy_p50_beside_ms', value: beside.p50, unit: 'ms' },
      { name: 'healthy_p95_beside_ms', value: beside.p95, unit: 'ms' },
      { name: 'healthy_p95_ratio', value: beside.p95 / alone.p95, unit: '' },
      { name: 'noisy_events', value: noisy, unit: 'events' },
      { name: 'load', value: loadAverage(), unit: '' },
    ]
  } finally {
    await system.close()
  }
}

/** Posts the events of the healthy tenants at their pace, one at a time, and measures. */
async function healthy(system: WebhookSystem, from: number): Promise<{ p50: number; p95: number }> {
  await system.takeArrivals()
  const count = HEALTHY.perS * HEALTHY.seconds
  const acceptedMs: number[] = []
  const posting: Promise<void>[] = []
  const startedMs = performance.now()

  async function post(index: number): Promise<void> {
    const who = index % HEALTHY.tenants
    acceptedMs[index] = await system.post(`healthy-${who}`, [`agent-${who}`], from + index)
  }

  for (let index = 0; index < count; index += 1) {
    await sleep(Math.max(0, startedMs + index * HEALTHY.everyMs - performance.now()))
    posting.push(post(index))
  }
  await Promise.all(posting)
  const waits = new Map<number, number>()
  await eventually(
    async () => {
      for (const [, number, atMs] of await system.takeArrivals()) {
        const acceptedAt = acceptedMs[number - from]
        if (number < OTHERS_FROM && acceptedAt !== undefined) waits.set(number, Math.max(0, atMs - acceptedAt))
      }
      return waits.size >= count
    },
    { timeoutMs: 60_000, everyMs: 100 },
  )
  return { p50: percentile([...waits.values()], 0.5), p95: percentile([...waits.values()], 0.95) }
}

async function others(system: WebhookSystem, tenant: string, agent: number, count: number): Promise<void> {
  const perPost = 500
  for (let posted = 0; posted < count; posted += perPost) {
    const agents = Array.from({ length: perPost }, () => `agent-${agent}`)
    await system.post(tenant, agents, OTHERS_FROM + posted)
  }
}

async function makeNoise(system: WebhookSystem, signal: AbortSignal): Promise<number> {
  const perPost = Math.round(((HEALTHY.perS / HEALTHY.tenants) * NOISE_TIMES) / 10)
  let sent = 0
  while (!signal.aborted) {
    const next = performance.now() + 100
    await system.post(
      NOISY,
      Array.from({ length: perPost }, () => 'agent-7'),
      OTHERS_FROM,
    )
    sent += perPost
    await sleep(Math.max(0, next - performance.now()))
  }
  return sent
}

async function pendingAtLeast(system: WebhookSystem, count: number): Promise<void> {
  const sql = `SELECT count(*)::int AS n FROM deliveries WHERE state IN ('pending', 'queued', 'attempting')`
  await eventually(async () => ((await system.pool.query<{ n: number }>(sql)).rows[0]?.n ?? 0) >= count, {
    timeoutMs: 120_000,
    everyMs: 200,
  })
}
