import { eventually, type Receiver, type World } from '@ariftly/testkit'
import type { PlannedEvent, Wanted } from './ledger.ts'
import { startListClient, type ListClient } from './list-client.ts'
import { startLoadClient, type LoadClient, type LoadClientOptions, type LoadReport } from './load-client.ts'
import { startStreamClient, type StreamClient } from './stream-client.ts'
import { subscribe, type Subscription } from './webhooks.ts'
import { planEvent, TENANTS } from './workload.ts'

/** A stream or a webhook that a run opens. */
export interface Opened {
  readonly name: string
  readonly tenant: string
  readonly wanted: Wanted
}

/** Where a run's clients find the services, how many there are, and how hard they work. */
export interface RunOptions {
  readonly world: World
  readonly receiver: Receiver
  readonly ingest: () => string
  readonly api: () => string
  readonly gateways: () => readonly string[]
  readonly random: () => number
  readonly clients: number
  readonly eventsPerS: number
  readonly streams: readonly Opened[]
  readonly webhooks: readonly Opened[]
  /** Mean time after which a stream client reconnects to another gateway. */
  readonly roamMs: number
  /** How long a load client waits for an answer; default 60 s. */
  readonly timeoutMs?: number
  /** Called with each event when it is acknowledged, and with each event of each stream. */
  readonly note?: (stage: 'acknowledged' | 'streamed', id: string) => void
  /** Ends all clients: the test is over. */
  readonly signal: AbortSignal
}

/** Clients of all kinds at work, and the ledger of what was acknowledged. */
export interface Run {
  readonly acknowledged: ReadonlyMap<string, PlannedEvent>
  /** How often each event was posted, by id. */
  readonly posts: ReadonlyMap<string, number>
  readonly clients: readonly LoadClient[]
  readonly streams: readonly StreamClient[]
  readonly lists: readonly ListClient[]
  readonly subscriptions: readonly Subscription[]
}

/** One stream of each kind of filter. */
export const STREAMS: readonly Opened[] = [
  { name: 'all', tenant: 'north', wanted: {} },
  { name: 'task', tenant: 'south', wanted: { taskId: 'task_7' } },
  { name: 'agent', tenant: 'west', wanted: { agent: 'team/planner-1' } },
  { name: 'types', tenant: 'north', wanted: { types: ['task.complete', 'tool_call.executed'] } },
]

/** A webhook of each tenant: of some types, of a task, of a type that is rare. */
export const WEBHOOKS: readonly Opened[] = [
  { name: 'types', tenant: 'north', wanted: { types: ['task.complete', 'approval.requested'] } },
  { name: 'task', tenant: 'south', wanted: { taskId: 'task_3' } },
  { name: 'rare', tenant: 'west', wanted: { types: ['task.failed'] } },
]

/** Subscribes, opens the streams, and once each of them is there starts the load and a list client for each tenant. */
export async function startRun(o: RunOptions): Promise<Run> {
  const keys = new Map<string, string>()
  for (const tenant of TENANTS) {
    keys.set(tenant, await o.world.apiKey(tenant, ['events:write', 'events:read', 'webhooks']))
  }
  const keyOf = (tenant: string) => keys.get(tenant) ?? ''
  o.receiver.respondWith(() => ({ delayMs: 5 + o.random() * 30 }))
  const { url } = o.receiver
  const subscriptions = await Promise.all(
    o.webhooks.map((wanted) => subscribe(o.api(), keyOf(wanted.tenant), { ...wanted, url })),
  )
  const streams = o.streams.map((wanted) => startStream(o, wanted, keyOf(wanted.tenant)))
  await eventually('all streams can resume', () => streams.every((stream) => stream.canResume()))

  const acknowledged = new Map<string, PlannedEvent>()
  const acknowledge = (event: PlannedEvent) => {
    if (!acknowledged.has(event.id)) o.note?.('acknowledged', event.id)
    acknowledged.set(event.id, event)
  }
  const posts = new Map<string, number>()
  const onPost = ({ id }: PlannedEvent) => void posts.set(id, (posts.get(id) ?? 0) + 1)
  const clients = Array.from({ length: o.clients }, (_, index) => startLoad(o, index, keyOf, { acknowledge, onPost }))
  const lists = TENANTS.map((tenant) => {
    const webhookId = subscriptions.find((subscription) => subscription.tenant === tenant)?.id ?? ''
    const { random, signal } = o
    return startListClient({ url: o.api, tenant, apiKey: keyOf(tenant), webhookId, random, signal })
  })
  return { acknowledged, posts, clients, streams, lists, subscriptions }
}

/** What all load clients did, together. */
export function totals(reports: readonly LoadReport[]) {
  const sum = (name: 'planned' | 'reposted' | 'cut' | 'unavailable') => reports.reduce((all, r) => all + r[name], 0)
  return { planned: sum('planned'), reposted: sum('reposted'), cut: sum('cut'), unavailable: sum('unavailable') }
}

/** Answers that no client may ever get, with anything killed. */
export function unexpected(run: Run, reports: readonly LoadReport[]): readonly string[] {
  return [
    ...reports.flatMap((report) => report.unexpected),
    ...run.streams.flatMap((stream) => stream.report.unexpected),
    ...run.lists.flatMap((list) => list.report.unexpected),
  ]
}

function startStream(o: RunOptions, wanted: Opened, apiKey: string): StreamClient {
  const { gateways, random, roamMs, signal, note } = o
  const onEvent = (id: string) => note?.('streamed', id)
  return startStreamClient({ ...wanted, apiKey, gateways, random, roamMs, onEvent, signal })
}

function startLoad(
  o: RunOptions,
  index: number,
  keyOf: (tenant: string) => string,
  hooks: Pick<LoadClientOptions, 'acknowledge' | 'onPost'>,
): LoadClient {
  const tenant = TENANTS[index % TENANTS.length] ?? TENANTS[0]
  return startLoadClient({
    url: o.ingest,
    apiKey: keyOf(tenant),
    eventsPerS: o.eventsPerS / o.clients,
    repostShare: 1 / 50,
    format: index % 2 === 0 ? 'json' : 'ndjson',
    random: o.random,
    plan: (nowMs) => planEvent(tenant, o.random, nowMs),
    ...hooks,
    ...(o.timeoutMs === undefined ? {} : { timeoutMs: o.timeoutMs }),
    signal: o.signal,
  })
}
