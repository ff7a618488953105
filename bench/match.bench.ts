import { EVENT_TYPES, newEventId, newTypeId } from '@ariftly/events'
import type { RecordView } from '@ariftly/kafka'
import { createRandom, recordViewOf } from '@ariftly/testkit'
import { matchRecords, SubscriptionIndex, type Subscription } from '@ariftly-services/webhook-worker/match'
import { percentile, type Bench } from './support/report.ts'
import { bySize } from './support/size.ts'

const WEBHOOKS = bySize({ full: 10_000, smallest: 500 })
const TENANTS = 200
const AGENTS = 20
const EVENTS_PER_BATCH = 500
const BATCHES = bySize({ full: 2_000, smallest: 40 })
const WARM_UP = bySize({ full: 200, smallest: 5 })
const LIMITS = {
  oldestMs: 0,
  pairsMax: Number.POSITIVE_INFINITY,
  tenantPairsMax: Number.POSITIVE_INFINITY,
  spent: new Map<string, number>(),
  backlogged: new Set<string>(),
  isTickOver: () => false,
}

/** Every tenth webhook has a payload filter: 1,000 of them. */
const FILTERED_EVERY = 10
/** Events of tenants whose webhooks all want another type. */
const UNMATCHED_BATCHES = bySize({ full: 400, smallest: 20 })

/**
 * Cost of matching in memory: records as fetched from Kafka, against 10,000 webhooks of 200 tenants, of which 1,000 have
 * payload filters; half of them for everything or a group of types, the rest for one agent, task or session too.
 * `cpu_p99_ms` is the same in processor time, which other work on the machine does not touch. `cpu_us_per_unmatched_event`:
 * the tenant has webhooks, and none wants the event.
 */
export const match: Bench = async (say) => {
  const random = createRandom(20_261_125)
  const pick = (n: number) => Math.floor(random() * n)
  const startedMs = performance.now()
  const index = new SubscriptionIndex(Array.from({ length: WEBHOOKS }, (_, number) => subscription(number, pick)))
  const buildMs = performance.now() - startedMs
  const batches = Array.from({ length: 50 }, () => Array.from({ length: EVENTS_PER_BATCH }, () => record(pick)))
  const times: number[] = []
  const cpuTimes: number[] = []
  let matches = 0
  for (let number = 0; number < WARM_UP + BATCHES; number += 1) {
    const startedAt = performance.now()
    const usedBefore = process.cpuUsage()
    const records = batches[number % batches.length] ?? []
    for (const one of matchRecords(index, records, LIMITS).matches) matches += one.webhookIds.length
    if (number < WARM_UP) continue
    times.push(performance.now() - startedAt)
    const used = process.cpuUsage(usedBefore)
    cpuTimes.push((used.user + used.system) / 1000)
  }
  const unmatchedUs = measureUnmatched(index, pick)
  const perEvent = matches / ((WARM_UP + BATCHES) * EVENTS_PER_BATCH)
  say(`${perEvent.toFixed(1)} webhooks an event`)
  return [
    { name: 'p50_ms', value: percentile(times, 0.5), unit: 'ms' },
    { name: 'p99_ms', value: percentile(times, 0.99), unit: 'ms' },
    { name: 'cpu_p99_ms', value: percentile(cpuTimes, 0.99), unit: 'ms' },
    { name: 'cpu_us_per_unmatched_event', value: unmatchedUs, unit: 'us' },
    { name: 'matches_per_event', value: perEvent, unit: 'webhooks' },
    { name: 'index_build_ms', value: buildMs, unit: 'ms' },
  ]
}

/** Processor time of an event that no webhook of its tenant wants. */
function measureUnmatched(index: SubscriptionIndex, pick: (n: number) => number): number {
  // Tenants with number % 4 = 3 have webhooks for session.message alone.
  const records = Array.from({ length: EVENTS_PER_BATCH }, () =>
    record(pick, { tenant: `tenant-${4 * pick(TENANTS / 4) + 3}`, type: 'task.progress' }),
  )
  for (let number = 0; number < WARM_UP; number += 1) matchRecords(index, records, LIMITS)
  const before = process.cpuUsage()
  let matches = 0
  for (let number = 0; number < UNMATCHED_BATCHES; number += 1) {
    matches += matchRecords(index, records, LIMITS).matches.length
  }
  const used = process.cpuUsage(before)
  if (matches > 0) throw new Error('events that were to match nothing have matched')
  return (used.user + used.system) / (UNMATCHED_BATCHES * EVENTS_PER_BATCH)
}

function subscription(number: number, pick: (n: number) => number): Subscription {
  const narrow = number % 8
  return {
    id: newTypeId('whk'),
    tenant: `tenant-${number % TENANTS}`,
    events: [['*'], ['task.*'], ['task.complete', 'approval.requested'], ['session.message']][number % 4] ?? ['*'],
    taskId: narrow === 5 ? `task-${pick(1000)}` : null,
    sessionId: narrow === 6 ? `session-${pick(1000)}` : null,
    agent: narrow === 4 || narrow === 7 ? `agent-${pick(AGENTS)}` : null,
    createdAtMs: 0,
    filter: number % FILTERED_EVERY === 0 ? '{"data.progress":{"$gte":0.5}}' : null,
  }
}

function record(pick: (n: number) => number, o: { readonly tenant?: string; readonly type?: string } = {}): RecordView {
  return recordViewOf({
    partition: 0,
    offset: 0,
    timestampMs: Date.now(),
    key: null,
    value: Buffer.from(JSON.stringify({ message: 'Analyzing document', progress: pick(100) / 100 })),
    headers: {
      ce_id: header(newEventId(Date.now())),
      ce_type: header(o.type ?? EVENT_TYPES[pick(EVENT_TYPES.length)] ?? 'task.progress'),
      ce_tenant: header(o.tenant ?? `tenant-${pick(TENANTS)}`),
      ce_taskid: header(`task-${pick(1000)}`),
      ce_sessionid: header(`session-${pick(1000)}`),
      ce_agent: header(`agent-${pick(AGENTS)}`),
    },
  })
}

function header(text: string): Buffer {
  return Buffer.from(text)
}
