import { FILTER_MEMBERS, VALUE_READERS, type EventAttributes } from './attributes.ts'
import { isSameFilter, matchesValues, type TenantFilter } from './event-filter.ts'

/** What has one filter and is found together. */
export interface Group<F extends TenantFilter> {
  readonly filter: F
}

/** One tenant's groups. */
interface TenantGroups<G> {
  /** Those without a filter of types. */
  readonly ofAllTypes: Bucket<G>
  /** The others, under each of their types. */
  readonly byType: Map<string, Bucket<G>>
  size: number
}

/** The groups that want a type. */
interface Bucket<G> {
  /** By the value of the narrowest attribute that they name; in the order of {@link FILTER_MEMBERS}. */
  readonly byValue: (Map<string, G[]> | undefined)[]
  /** Those without any value. */
  readonly rest: G[]
}

/** How groups are made. */
interface FilterIndexOptions<F extends TenantFilter, G> {
  /** Makes an empty group; its number is greater than that of any group before it. */
  readonly newGroup: (filter: F, number: number) => G
  /** Whether two filters share a group. Default: they want the same events. */
  readonly isSame?: (a: F, b: F) => boolean
}

/**
 * Finds by tenant, type, task, session and agent who wants an event: streams or webhooks, in groups of equal filters. The cost
 * of an event is by the groups that want it, not by all that exist. Of an event only what some filter of its tenant names is
 * read. A group is in one list for each of its types, under the narrowest of its values; the others are compared.
 */
export class FilterIndex<F extends TenantFilter, G extends Group<F>> {
  readonly #tenants = new Map<string, TenantGroups<G>>()
  readonly #newGroup: (filter: F, number: number) => G
  readonly #isSame: (a: F, b: F) => boolean
  /** How many groups there are. */
  size = 0
  /** Grows with each group that is added. */
  version = 0

  constructor({ newGroup, isSame = isSameFilter }: FilterIndexOptions<F, G>) {
    this.#newGroup = newGroup
    this.#isSame = isSame
  }

  /** Whether a tenant has groups. */
  has(tenant: string): boolean {
    return this.#tenants.has(tenant)
  }

  /** The groups that want an event, each once. */
  groupsFor(event: EventAttributes): readonly G[] {
    const groups = this.#tenants.get(event.tenant)
    if (groups === undefined) return NONE
    const { ofAllTypes, byType } = groups
    const found = collect(ofAllTypes, event, undefined)
    const bucket = byType.size === 0 ? undefined : byType.get(event.type)
    return (bucket === undefined ? found : collect(bucket, event, found)) ?? NONE
  }

  /** The group of a filter, made if there is none. */
  groupOf(filter: F): G {
    return this.#find(filter) ?? this.#add(filter)
  }

  /** Forgets a group. */
  remove(group: G): void {
    const { filter } = group
    const groups = this.#tenants.get(filter.tenant)
    if (groups === undefined) return
    if (filter.types === null) removeFrom(groups.ofAllTypes, group)
    for (const type of filter.types ?? []) {
      const bucket = groups.byType.get(type)
      if (bucket !== undefined && removeFrom(bucket, group)) groups.byType.delete(type)
    }
    this.size -= 1
    groups.size -= 1
    if (groups.size === 0) this.#tenants.delete(filter.tenant)
  }

  #find(filter: F): G | undefined {
    const groups = this.#tenants.get(filter.tenant)
    const bucket = filter.types === null ? groups?.ofAllTypes : groups?.byType.get(filter.types[0] ?? '')
    if (bucket === undefined) return undefined
    return listOf(bucket, filter)?.find((group) => this.#isSame(group.filter, filter))
  }

  #add(filter: F): G {
    const groups = this.#tenants.get(filter.tenant) ?? { ofAllTypes: newBucket(), byType: new Map(), size: 0 }
    this.#tenants.set(filter.tenant, groups)
    this.version += 1
    const group = this.#newGroup(filter, this.version)
    if (filter.types === null) addTo(groups.ofAllTypes, group)
    for (const type of filter.types ?? []) {
      const bucket = groups.byType.get(type) ?? newBucket()
      groups.byType.set(type, bucket)
      addTo(bucket, group)
    }
    this.size += 1
    groups.size += 1
    return group
  }
}

/** Adds the groups of a bucket that want an event; `into` is made for the first one. */
function collect<F extends TenantFilter, G extends Group<F>>(
  { byValue, rest }: Bucket<G>,
  event: EventAttributes,
  into: G[] | undefined,
): G[] | undefined {
  let found = into
  for (let at = 0; at < byValue.length; at += 1) {
    const lists = byValue[at]
    if (lists === undefined) continue
    const value = VALUE_READERS[at]?.(event) ?? null
    const list = value === null ? undefined : lists.get(value)
    if (list === undefined) continue
    for (const group of list) {
      if (!matchesValues(group.filter, event, at + 1)) continue
      if (found === undefined) found = [group]
      else found.push(group)
    }
  }
  for (const group of rest) {
    if (found === undefined) found = [group]
    else found.push(group)
  }
  return found
}

function newBucket<G>(): Bucket<G> {
  return { byValue: FILTER_MEMBERS.map(() => undefined), rest: [] }
}

/** The number and value of the narrowest attribute that a filter names. */
function narrowestOf(filter: TenantFilter): { readonly at: number; readonly value: string } | undefined {
  for (const [at, valueOf] of VALUE_READERS.entries()) {
    const value = valueOf(filter)
    if (value !== null) return { at, value }
  }
  return undefined
}

/** The list in which a group with a filter is, if there is one. */
function listOf<G>({ byValue, rest }: Bucket<G>, filter: TenantFilter): G[] | undefined {
  const narrowest = narrowestOf(filter)
  return narrowest === undefined ? rest : byValue[narrowest.at]?.get(narrowest.value)
}

function addTo<F extends TenantFilter, G extends Group<F>>(bucket: Bucket<G>, group: G): void {
  const list = listOf(bucket, group.filter)
  if (list !== undefined) {
    list.push(group)
    return
  }
  const narrowest = narrowestOf(group.filter)
  if (narrowest === undefined) return
  const lists = bucket.byValue[narrowest.at] ?? new Map<string, G[]>()
  bucket.byValue[narrowest.at] = lists
  lists.set(narrowest.value, [group])
}

/** Returns true if the bucket is empty then. */
function removeFrom<F extends TenantFilter, G extends Group<F>>(bucket: Bucket<G>, group: G): boolean {
  const { byValue, rest } = bucket
  const narrowest = narrowestOf(group.filter)
  const lists = narrowest === undefined ? undefined : byValue[narrowest.at]
  const list = narrowest === undefined ? rest : (lists?.get(narrowest.value) ?? [])
  // The last group moves into the free place: their order has no meaning.
  const last = list.pop()
  const at = last === group ? -1 : list.indexOf(group)
  if (last !== undefined && at >= 0) list[at] = last
  if (narrowest !== undefined && list.length === 0) {
    lists?.delete(narrowest.value)
    if (lists?.size === 0) byValue[narrowest.at] = undefined
  }
  return rest.length === 0 && byValue.every((each) => each === undefined)
}

const NONE: readonly never[] = []
