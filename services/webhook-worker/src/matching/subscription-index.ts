import { FilterIndex, tenantFilter, type EventAttributes, type TenantFilter } from '@ariftly/events'
import type { Subscription, SubscriptionChange } from './read-subscriptions.ts'
import { compileFilter, type CompiledFilter, type WebhookFilter } from '@ariftly/webhook-filter'
import type { Payload } from './record-attributes.ts'

/** The webhooks of one tenant. */
interface TenantWebhooks {
  readonly byId: Map<string, Candidate>
  /** Those with a payload filter. */
  filters: number
}

/** A webhook with its payload filter compiled. */
interface Candidate extends Subscription {
  readonly payloadFilter: CompiledFilter | undefined
}

/** The webhooks of a tenant that filter alike, but for their payload filters. */
interface WebhookGroup {
  readonly filter: TenantFilter
  /** Webhooks without a payload filter, and their ids: an event takes the ids without a check of each webhook. */
  readonly plain: Candidate[]
  readonly plainIds: string[]
  /** Events appended since then are newer than each of `plain`. */
  plainFromMs: number
  /** Those with a payload filter. */
  readonly filtered: Candidate[]
}

/** Events appended longer than this before a webhook was created are never sent to it. */
const BEFORE_CREATION_MS = 60_000

/** Finds the webhooks that want an event, by the filter index, their age and their payload filters. */
export class SubscriptionIndex {
  readonly #tenants = new Map<string, TenantWebhooks>()
  readonly #groups = new FilterIndex<TenantFilter, WebhookGroup>({ newGroup })

  constructor(subscriptions: readonly Subscription[] = []) {
    this.apply(subscriptions.map((subscription) => ({ subscription, enabled: true })))
  }

  /** Puts changed webhooks in the place of what was known of them. */
  apply(changes: readonly SubscriptionChange[]): void {
    for (const { subscription, enabled } of changes) {
      const { tenant, id } = subscription
      const webhooks = this.#tenants.get(tenant) ?? { byId: new Map(), filters: 0 }
      this.#tenants.set(tenant, webhooks)
      this.#remove(webhooks, id)
      if (enabled) this.#add(webhooks, { ...subscription, payloadFilter: compileText(subscription.filter) })
      if (webhooks.byId.size === 0) this.#tenants.delete(tenant)
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
  match(event: EventAttributes, payload: Payload): readonly string[] {
    const matched: string[] = []
    for (const { plain, plainIds, plainFromMs, filtered } of this.#groups.groupsFor(event)) {
      if (payload.appendedAtMs >= plainFromMs) for (const id of plainIds) matched.push(id)
      else for (const candidate of plain) if (wants(candidate, event, payload)) matched.push(candidate.id)
      for (const candidate of filtered) if (wants(candidate, event, payload)) matched.push(candidate.id)
    }
    return matched
  }

  #add(webhooks: TenantWebhooks, candidate: Candidate): void {
    webhooks.byId.set(candidate.id, candidate)
    if (candidate.payloadFilter !== undefined) webhooks.filters += 1
    addTo(this.#groups.groupOf(filterOfWebhook(candidate)), candidate)
  }

  #remove(webhooks: TenantWebhooks, id: string): void {
    const candidate = webhooks.byId.get(id)
    if (candidate === undefined) return
    webhooks.byId.delete(id)
    if (candidate.payloadFilter !== undefined) webhooks.filters -= 1
    const group = this.#groups.groupOf(filterOfWebhook(candidate))
    removeFrom(group, candidate)
    if (group.plain.length + group.filtered.length === 0) this.#groups.remove(group)
  }
}

/** The filter of a webhook, compiled; undefined when it has none. */
export function compileText(filter: string | null): CompiledFilter | undefined {
  return filter === null ? undefined : compileFilter(JSON.parse(filter) as WebhookFilter)
}

function filterOfWebhook({ tenant, events, ...webhook }: Subscription): TenantFilter {
  return tenantFilter(tenant, { ...webhook, types: events })
}

function newGroup(filter: TenantFilter): WebhookGroup {
  return { filter, plain: [], plainIds: [], plainFromMs: Number.NEGATIVE_INFINITY, filtered: [] }
}

function addTo(group: WebhookGroup, candidate: Candidate): void {
  if (candidate.payloadFilter !== undefined) {
    group.filtered.push(candidate)
    return
  }
  group.plain.push(candidate)
  group.plainIds.push(candidate.id)
  group.plainFromMs = Math.max(group.plainFromMs, candidate.createdAtMs - BEFORE_CREATION_MS)
}

function removeFrom(group: WebhookGroup, candidate: Candidate): void {
  const rest = [...group.plain, ...group.filtered].filter((other) => other !== candidate)
  for (const list of [group.plain, group.plainIds, group.filtered]) list.length = 0
  group.plainFromMs = Number.NEGATIVE_INFINITY
  for (const other of rest) addTo(group, other)
}

function wants({ createdAtMs, payloadFilter }: Candidate, event: EventAttributes, payload: Payload): boolean {
  return payload.appendedAtMs >= createdAtMs - BEFORE_CREATION_MS && payloadFilter?.matches(event, payload) !== false
}
