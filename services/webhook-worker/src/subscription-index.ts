import { EVENT_TYPES, type EventType } from '@ariftly/events'
import type { Subscription } from '@ariftly/store/deliveries'
import { compileFilter, type CompiledFilter, type WebhookFilter } from '@ariftly/webhook-filter'

/** What of a record decides whom it interests; all but `data` is read from its headers. */
export interface EventAttributes {
  readonly tenant: string
  readonly type: string
  readonly taskId: string | undefined
  readonly sessionId: string | undefined
  readonly agent: string | undefined
  readonly appendedAtMs: number
  /** The payload, parsed; undefined if it is no JSON. Called only for a filtered webhook that otherwise wants the event. */
  readonly data: () => unknown
}

/** Who wants an event. */
export interface SubscriptionIndex {
  /** Ids of the webhooks that want it, each once. */
  readonly match: (event: EventAttributes) => readonly string[]
  /** Whether the tenant has any webhook. */
  readonly hasTenant: (tenant: string) => boolean
  readonly size: number
}

/** A subscription with its payload filter compiled. */
interface Candidate extends Subscription {
  readonly payloadFilter: CompiledFilter | undefined
}

/** Subscriptions to one type of one tenant, each in the map of its narrowest filter. */
interface Bucket {
  readonly byTask: Map<string, Candidate[]>
  readonly bySession: Map<string, Candidate[]>
  readonly byAgent: Map<string, Candidate[]>
  readonly unfiltered: Candidate[]
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
    const candidate = { ...subscription, payloadFilter: compileText(subscription.filter) }
    const types = tenants.get(subscription.tenant) ?? new Map<string, Bucket>()
    tenants.set(subscription.tenant, types)
    for (const type of expandTypes(subscription.events)) {
      const bucket = types.get(type) ?? newBucket()
      types.set(type, bucket)
      place(bucket, candidate)
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

/** The filter of a webhook, compiled; undefined when it has none. */
export function compileText(filter: string | null): CompiledFilter | undefined {
  return filter === null ? undefined : compileFilter(JSON.parse(filter) as WebhookFilter)
}

function newBucket(): Bucket {
  return { byTask: new Map(), bySession: new Map(), byAgent: new Map(), unfiltered: [] }
}

function place(bucket: Bucket, subscription: Candidate): void {
  const { taskId, sessionId, agent } = subscription
  if (taskId !== null) push(bucket.byTask, taskId, subscription)
  else if (sessionId !== null) push(bucket.bySession, sessionId, subscription)
  else if (agent !== null) push(bucket.byAgent, agent, subscription)
  else bucket.unfiltered.push(subscription)
}

function push(map: Map<string, Candidate[]>, key: string, subscription: Candidate): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [subscription])
  else list.push(subscription)
}

function collect(candidates: readonly Candidate[] | undefined, event: EventAttributes, into: string[]): void {
  for (const candidate of candidates ?? []) {
    if (candidate.taskId !== null && candidate.taskId !== event.taskId) continue
    if (candidate.sessionId !== null && candidate.sessionId !== event.sessionId) continue
    if (candidate.agent !== null && candidate.agent !== event.agent) continue
    if (event.appendedAtMs < candidate.createdAtMs - BEFORE_CREATION_MS) continue
    if (candidate.payloadFilter?.matches(event) === false) continue
    into.push(candidate.id)
  }
}
