import { setTimeout as sleep } from 'node:timers/promises'
import { DEADLINES, eventually } from '@ariftly/testkit'
import { medians, percentile, type Bench, type Measurement } from './support/report.ts'
import { startWebhookSystem, type WebhookSystem } from './webhooks/system.ts'
import { bySize } from './support/size.ts'

const HEALTHY = bySize({
  full: { tenants: 5, perS: 25, seconds: 12, everyMs: 40 } as const,
  smallest: { tenants: 5, perS: 25, seconds: 2, everyMs: 40 } as const,
})
const WINDOWS = bySize({ full: 5, smallest: 1 })
/** Deliveries in which V8 and Java compile what runs all the time: a window makes 300. */
const WARM_UP = bySize({ full: 10_000, smallest: 500 })
const NOISE_TIMES = 20
const BACKLOG = bySize({ full: 20_000, smallest: 500 })
/** Whom the endpoints belong to, and how their receivers behave. */
const ENDPOINTS = [
  ...Array.from({ length: HEALTHY.tenants }, (_, index) => ({ tenant: `healthy-${index}`, kind: 'ok' as const })),
  { tenant: 'ill', kind: 'dead' },
  { tenant: 'ill', kind: 'slow' },
  { tenant: 'noisy', kind: 'ok' },
  ...Array.from({ length: HEALTHY.tenants }, (_, index) => ({ tenant: `control-${index}`, kind: 'ok' as const })),
] as const
const DEAD = HEALTHY.tenants
const SLOW = DEAD + 1
const NOISY = SLOW + 1
const ILL_AGENTS = [`agent-${DEAD}`, `agent-${SLOW}`]
const CONTROL = Array.from({ length: HEALTHY.tenants }, (_, index) => NOISY + 1 + index)
/** Events of others have numbers from here on. */
const OTHERS_FROM = 10_000_000

/**
 * Whether tenants are delayed by others: p95 from acceptance to receipt of five healthy tenants, alone and with three others:
 * an endpoint that accepts connections without an answer and has 20,000 deliveries pending, an endpoint that answers after
 * 14 s, and a tenant that sends twenty times as much as one of them. The control is the effect of the machine's load alone: five more healthy
 * tenants send as much as the loud one in posts of the same size. Five windows of each, alternating. A ratio is of two windows
 * of one round, and the median is reported, as the speed of a host and of a process changes between rounds. Before them 10,000
 * deliveries, one window alone and one with the control are not counted.
 */
export const fairness: Bench = async (say) => {
  const system = await startWebhookSystem()
  try {
    const urls = await system.listen(ENDPOINTS.map(({ kind }) => kind))
    for (const [index, { tenant }] of ENDPOINTS.entries()) {
      await system.subscribe({ tenant, agent: `agent-${index}`, url: urls[index] ?? '' })
    }
    await system.startWorker()
    let from = 0
    const next = () => (from += 100_000)
    await warmUp(system)
    await healthy(system, next())
    await withNoise(system, CONTROL, next())
    await others(system, DEAD, BACKLOG)
    await others(system, SLOW, 2_000)
    await pendingAtLeast(system, BACKLOG)
    const windows: (readonly Measurement[])[] = []
    for (let window = 0; window < WINDOWS; window += 1) {
      await system.enable(ILL_AGENTS, false)
      const alone = await healthy(system, next())
      const control = await withNoise(system, CONTROL, next())
      await system.enable(ILL_AGENTS, true)
      const beside = await withNoise(system, [NOISY], next())
      windows.push(measurementsOf({ alone, control, beside }))
      say(`window ${window}: p95 alone ${ms(alone)}, control ${ms(control)}, with noise ${ms(beside)} ms`)
    }
    return medians(windows)
  } finally {
    await system.close()
  }
}

interface Figures {
  readonly p50: number
  readonly p95: number
}

function ms({ p95 }: Figures): string {
  return p95.toFixed(1)
}

type Kind = 'alone' | 'control' | 'beside'

function measurementsOf(window: Readonly<Record<Kind, Figures>>): readonly Measurement[] {
  const { alone, control, beside } = window
  return [
    ...Object.entries(window).flatMap(([kind, { p50, p95 }]) => [
      { name: `healthy_p50_${kind}_ms`, value: p50, unit: 'ms' },
      { name: `healthy_p95_${kind}_ms`, value: p95, unit: 'ms' },
    ]),
    { name: 'control_p95_ratio', value: control.p95 / alone.p95, unit: '' },
    { name: 'healthy_p95_ratio', value: beside.p95 / alone.p95, unit: '' },
    { name: 'healthy_p95_vs_control', value: beside.p95 / control.p95, unit: '' },
  ]
}

async function warmUp(system: WebhookSystem): Promise<void> {
  const perEndpoint = WARM_UP / CONTROL.length
  for (const endpoint of CONTROL) await others(system, endpoint, perEndpoint)
  await eventually('the warm-up is received', async () => (await system.received()) >= WARM_UP, {
    timeoutMs: DEADLINES.load,
    everyMs: 200,
  })
}

/** Measures the healthy tenants while the tenants of these endpoints, in turn, send twenty times as much as one of them. */
async function withNoise(system: WebhookSystem, endpoints: readonly number[], from: number): Promise<Figures> {
  const stop = new AbortController()
  const noise = makeNoise(system, endpoints, stop.signal)
  await sleep(2000)
  const figures = await healthy(system, from)
  stop.abort()
  await noise
  return figures
}

/** Posts the events of the healthy tenants at their pace, one at a time, and measures. */
async function healthy(system: WebhookSystem, from: number): Promise<Figures> {
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
    'the events of the healthy tenants are received',
    async () => {
      for (const [, number, atMs] of await system.takeArrivals()) {
        const acceptedAt = acceptedMs[number - from]
        if (number < OTHERS_FROM && acceptedAt !== undefined) waits.set(number, Math.max(0, atMs - acceptedAt))
      }
      return waits.size >= count
    },
    { everyMs: 100 },
  )
  return { p50: percentile([...waits.values()], 0.5), p95: percentile([...waits.values()], 0.95) }
}

async function others(system: WebhookSystem, endpoint: number, count: number): Promise<void> {
  const perPost = 500
  for (let posted = 0; posted < count; posted += perPost) {
    await postTo(system, endpoint, perPost, OTHERS_FROM + posted)
  }
}

async function makeNoise(system: WebhookSystem, endpoints: readonly number[], signal: AbortSignal): Promise<void> {
  const perPost = Math.round(((HEALTHY.perS / HEALTHY.tenants) * NOISE_TIMES) / 10)
  let posts = 0
  while (!signal.aborted) {
    const next = performance.now() + 100
    await postTo(system, endpoints[posts % endpoints.length] ?? 0, perPost, OTHERS_FROM)
    posts += 1
    await sleep(Math.max(0, next - performance.now()))
  }
}

/** Posts events that the webhook of one endpoint wants. */
async function postTo(system: WebhookSystem, endpoint: number, count: number, from: number): Promise<void> {
  const agents = Array.from({ length: count }, () => `agent-${endpoint}`)
  await system.post(ENDPOINTS[endpoint]?.tenant ?? '', agents, from)
}

async function pendingAtLeast(system: WebhookSystem, count: number): Promise<void> {
  const sql = `SELECT count(*)::int AS n FROM deliveries WHERE state IN ('pending', 'queued')`
  await eventually(
    `${count} deliveries are pending`,
    async () => ((await system.pool.query<{ n: number }>(sql)).rows[0]?.n ?? 0) >= count,
    { timeoutMs: DEADLINES.load, everyMs: 200 },
  )
}
