import { EVENT_TYPES, type EventType } from '@ariftly/events'
import type { Subscription, SubscriptionChange } from './read-subscriptions.ts'
import { compileFilter, type CompiledFilter, type WebhookFilter } from '@ariftly/webhook-filter'

/** What decides which webhooks want an event; all but `data` is read from a record's headers. */
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

/** The webhooks of one tenant, also by the types that they want. */
interface TenantWebhooks {
  readonly byId: Map<string, Candidate>
  byType: ReadonlyMap<string, Bucket>
  /** Those with a payload filter. */
  filters: number
}

/** A webhook with its payload filter compiled. */
interface Candidate extends Subscription {
  readonly payloadFilter: CompiledFilter | undefined
}

/** Webhooks for one type, each in the map of its narrowest filter. */
interface Bucket {
  readonly byTask: Map<string, Group>
  readonly bySession: Map<string, Group>
  readonly byAgent: Map<string, Group>
  readonly unfiltered: Group
}

/** Webhooks that one look-up finds. */
interface Group {
  /** Webhooks without further filters, and their ids: an event takes the ids without a check of each webhook. */
  readonly plain: Candidate[]
  readonly plainIds: string[]
  /** Events appended since then are newer than each of `plain`. */
  plainFromMs: number
  /** Those with further filters. */
  readonly filtered: Candidate[]
}

/** Events appended longer than this before a webhook was created are never sent to it. */
const BEFORE_CREATION_MS = 60_000

/**
 * Finds the webhooks that want an event: by tenant and type, then by `task_id`, `session_id` or `agent`, as nested maps. The
 * cost of an event is by the webhooks that want it, not by all that exist; the cost of a change by its tenant's webhooks.
 */
export class SubscriptionIndex {
  readonly #tenants = new Map<string, TenantWebhooks>()

  constructor(subscriptions: readonly Subscription[] = []) {
    this.apply(subscriptions.map((subscription) => ({ subscription, enabled: true })))
  }

  /** Puts changed webhooks in the place of what was known of them. */
  apply(changes: readonly SubscriptionChange[]): void {
    const changed = new Map<string, TenantWebhooks>()
    for (const { subscription, enabled } of changes) {
      const { tenant, id } = subscription
      const webhooks = this.#tenants.get(tenant) ??
        changed.get(tenant) ?? { byId: new Map(), byType: new Map(), filters: 0 }
      changed.set(tenant, webhooks)
      if (enabled) webhooks.byId.set(id, { ...subscription, payloadFilter: compileText(subscription.filter) })
      else webhooks.byId.delete(id)
    }
    for (const [tenant, webhooks] of changed) {
      if (webhooks.byId.size === 0) this.#tenants.delete(tenant)
      else {
        webhooks.byType = indexByType(webhooks.byId.values())
        webhooks.filters = [...webhooks.byId.values()].filter((one) => one.payloadFilter !== undefined).length
        this.#tenants.set(tenant, webhooks)
      }
    }
  }

  /** Whether the tenant has any webhook. */
  hasTenant(tenant: string): boolean {
    return this.#tenants.has(tenant)
  }

  /** How many webhooks of the tenant have a payload filter. */
  filtersOf(tenant: string): number {
    return this.#tenants.get(tenant)?.filters ?? 0
  }

  /** Whether any webhook of the tenant has a payload filter. */
  needsData(tenant: string): boolean {
    for (const { payloadFilter } of this.#tenants.get(tenant)?.byId.values() ?? []) {
      if (payloadFilter?.needsData === true) return true
    }
    return false
  }

  /** Ids of the webhooks that want it, each once. */
  match(event: EventAttributes): readonly string[] {
    const bucket = this.#tenants.get(event.tenant)?.byType.get(event.type)
    if (bucket === undefined) return []
    const matched: string[] = []
    collect(bucket.unfiltered, event, matched)
    if (event.taskId !== undefined) collect(bucket.byTask.get(event.taskId), event, matched)
    if (event.sessionId !== undefined) collect(bucket.bySession.get(event.sessionId), event, matched)
    if (event.agent !== undefined) collect(bucket.byAgent.get(event.agent), event, matched)
    return matched
  }
}

/** The exact types that a webhook's `events` name: types, groups (`task.*`) and `*`. Unknown words name none. */
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

function indexByType(subscriptions: Iterable<Candidate>): ReadonlyMap<string, Bucket> {
  const types = new Map<string, Bucket>()
  for (const subscription of subscriptions) {
    for (const type of expandTypes(subscription.events)) {
      const bucket = types.get(type) ?? newBucket()
      types.set(type, bucket)
      place(bucket, subscription)
    }
  }
  return types
}

function newBucket(): Bucket {
  return { byTask: new Map(), bySession: new Map(), byAgent: new Map(), unfiltered: newGroup() }
}

function newGroup(): Group {
  return { plain: [], plainIds: [], plainFromMs: Number.NEGATIVE_INFINITY, filtered: [] }
}

function place(bucket: Bucket, candidate: Candidate): void {
  const { taskId, sessionId, agent } = candidate
  if (taskId !== null) add(groupOf(bucket.byTask, taskId), candidate, sessionId === null && agent === null)
  else if (sessionId !== null) add(groupOf(bucket.bySession, sessionId), candidate, agent === null)
  else if (agent !== null) add(groupOf(bucket.byAgent, agent), candidate, true)
  else add(bucket.unfiltered, candidate, true)
}

function groupOf(groups: Map<string, Group>, key: string): Group {
  const group = groups.get(key) ?? newGroup()
  groups.set(key, group)
  return group
}

function add(group: Group, candidate: Candidate, onlyKey: boolean): void {
  if (!onlyKey || candidate.payloadFilter !== undefined) {
    group.filtered.push(candidate)
    return
  }
  group.plain.push(candidate)
  group.plainIds.push(candidate.id)
  group.plainFromMs = Math.max(group.plainFromMs, candidate.createdAtMs - BEFORE_CREATION_MS)
}

function collect(group: Group | undefined, event: EventAttributes, into: string[]): void {
  if (group === undefined) return
  if (event.appendedAtMs >= group.plainFromMs) for (const id of group.plainIds) into.push(id)
  else for (const candidate of group.plain) if (wants(candidate, event)) into.push(candidate.id)
  for (const candidate of group.filtered) if (wants(candidate, event)) into.push(candidate.id)
}

function wants(candidate: Candidate, event: EventAttributes): boolean {
  if (candidate.taskId !== null && candidate.taskId !== event.taskId) return false
  if (candidate.sessionId !== null && candidate.sessionId !== event.sessionId) return false
  if (candidate.agent !== null && candidate.agent !== event.agent) return false
  if (event.appendedAtMs < candidate.createdAtMs - BEFORE_CREATION_MS) return false
  return candidate.payloadFilter?.matches(event) !== false
}
