import { EVENT_TYPES, type EventType } from '@ariftly/events'
import type { Subscription } from '@ariftly/store/deliveries'

/** What of a record decides whom it interests; read from its headers, without a look at its payload. */
export interface EventAttributes {
  readonly tenant: string
  readonly type: string
  readonly taskId: string | undefined
  readonly sessionId: string | undefined
  readonly agent: string | undefined
  readonly appendedAtMs: number
}

/** Who wants an event. */
export interface SubscriptionIndex {
  /** Ids of the webhooks that want it, each once. */
  readonly match: (event: EventAttributes) => readonly string[]
  /** Whether the tenant has any webhook. */
  readonly hasTenant: (tenant: string) => boolean
  readonly size: number
}

/** Subscriptions to one type of one tenant, each in the map of its narrowest filter. */
interface Bucket {
  readonly byTask: Map<string, Subscription[]>
  readonly bySession: Map<string, Subscription[]>
  readonly byAgent: Map<string, Subscription[]>
  readonly unfiltered: Subscription[]
}

/** Events appended longer than this before a webhook was made are never sent to it. */
const BEFORE_CREATION_MS = 60_000

/**
 * Indexes subscriptions by tenant and type, then by `task_id`, `session_id` or `agent`, as nested maps: the cost of an
 * event is by the webhooks that want it, not by those that exist.
 */
export function createSubscriptionIndex(subscriptions: readonly Subscription[]): SubscriptionIndex {
  const tenants = new Map<string, Map<string, Bucket>>()
  for (const subscription of subscriptions) {
    const types = tenants.get(subscription.tenant) ?? new Map<string, Bucket>()
    tenants.set(subscription.tenant, types)
    for (const type of expandTypes(subscription.events)) {
      const bucket = types.get(type) ?? newBucket()
      types.set(type, bucket)
      place(bucket, subscription)
    }
  }

  function match(event: EventAttributes): readonly string[] {
    const bucket = tenants.get(event.tenant)?.get(event.type)
    if (bucket === undefined) return []
    const matched: string[] = []
    collect(bucket.unfiltered, event, matched)
    if (event.taskId !== undefined) collect(bucket.byTask.get(event.taskId), event, matched)
    if (event.sessionId !== undefined) collect(bucket.bySession.get(event.sessionId), event, matched)
    if (event.agent !== undefined) collect(bucket.byAgent.get(event.agent), event, matched)
    return matched
  }

  return { match, hasTenant: (tenant) => tenants.has(tenant), size: subscriptions.length }
}

/** The exact types that a webhook's `events` stand for: types, groups (`task.*`) and `*`. Unknown words stand for none. */
export function expandTypes(events: readonly string[]): ReadonlySet<EventType> {
  const types = new Set<EventType>()
  for (const word of events) {
    for (const type of EVENT_TYPES) {
      if (word === type || word === '*' || (word.endsWith('.*') && type.startsWith(word.slice(0, -1)))) types.add(type)
    }
  }
  return types
}

function newBucket(): Bucket {
  return { byTask: new Map(), bySession: new Map(), byAgent: new Map(), unfiltered: [] }
}

function place(bucket: Bucket, subscription: Subscription): void {
  const { taskId, sessionId, agent } = subscription
  if (taskId !== null) push(bucket.byTask, taskId, subscription)
  else if (sessionId !== null) push(bucket.bySession, sessionId, subscription)
  else if (agent !== null) push(bucket.byAgent, agent, subscription)
  else bucket.unfiltered.push(subscription)
}

function push(map: Map<string, Subscription[]>, key: string, subscription: Subscription): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [subscription])
  else list.push(subscription)
}

function collect(candidates: readonly Subscription[] | undefined, event: EventAttributes, into: string[]): void {
  for (const candidate of candidates ?? []) {
    if (candidate.taskId !== null && candidate.taskId !== event.taskId) continue
    if (candidate.sessionId !== null && candidate.sessionId !== event.sessionId) continue
    if (candidate.agent !== null && candidate.agent !== event.agent) continue
    if (event.appendedAtMs < candidate.createdAtMs - BEFORE_CREATION_MS) continue
    into.push(candidate.id)
  }
}
