import type { Routed } from '../log/read-routed.ts'
import { ALL_TYPES, matchesAttributes, sameFilter, typeBit, type StreamFilter } from './filter.ts'
import type { FilterGroup } from './subscriber.ts'

/** One tenant's groups, each under the narrowest of its conditions. */
interface TenantIndex {
  readonly byTask: Map<string, FilterGroup[]>
  readonly bySession: Map<string, FilterGroup[]>
  readonly byAgent: Map<string, FilterGroup[]>
  readonly byType: Map<number, FilterGroup[]>
  readonly all: FilterGroup[]
}

/**
 * The open streams by tenant, then task, session, agent and type, so that a record costs only the streams that get it. A
 * group with several conditions is listed under one of them, and the others are checked. Streams that are not live are
 * listed too, so that the records they will want are decoded and checked for duplicates when they are read.
 */
export class FilterIndex {
  readonly #tenants = new Map<string, TenantIndex>()
  groups = 0
  /** Grows with each group that is added. */
  version = 0

  /** Whether a tenant has open streams. */
  has(tenant: string): boolean {
    return this.#tenants.has(tenant)
  }

  /** The group of a filter, made if there is none. */
  groupOf(filter: StreamFilter): FilterGroup {
    const index = this.#tenants.get(filter.tenant)
    const entries = index === undefined ? [] : entriesOf(index, filter)
    return entries[0]?.get()?.find((group) => sameFilter(group.filter, filter)) ?? this.#addGroup(filter)
  }

  /** The groups that get a record, each once. */
  groupsFor(record: Routed): readonly FilterGroup[] {
    let groups: FilterGroup[] | undefined
    for (const list of this.#candidates(record)) {
      if (list.length === 0) continue
      // A tenant may have thousands of groups: the type is looked up once for all of them.
      const bit = typeBit(record.type)
      for (const group of list) {
        if ((group.filter.types & bit) === 0 || !matchesAttributes(group.filter, record)) continue
        if (groups === undefined) groups = [group]
        else groups.push(group)
      }
    }
    return groups ?? NO_GROUPS
  }

  /** The lists of groups that may get the record; no group is in two of them. */
  #candidates(record: Routed): readonly (readonly FilterGroup[])[] {
    const index = this.#tenants.get(record.tenant)
    if (index === undefined) return []
    const { byTask, bySession, byAgent, byType, all } = index
    // Reads an attribute of the record only if a group is listed by it.
    return [
      (byTask.size > 0 && record.taskId !== null && byTask.get(record.taskId)) || NO_GROUPS,
      (bySession.size > 0 && record.sessionId !== null && bySession.get(record.sessionId)) || NO_GROUPS,
      (byAgent.size > 0 && record.agent !== null && byAgent.get(record.agent)) || NO_GROUPS,
      (byType.size > 0 && byType.get(typeBit(record.type))) || NO_GROUPS,
      all,
    ]
  }

  #addGroup(filter: StreamFilter): FilterGroup {
    let index = this.#tenants.get(filter.tenant)
    if (index === undefined) {
      index = { byTask: new Map(), bySession: new Map(), byAgent: new Map(), byType: new Map(), all: [] }
      this.#tenants.set(filter.tenant, index)
    }
    this.version += 1
    const group: FilterGroup = {
      filter,
      number: this.version,
      subscribers: new Set(),
      live: new Map(),
      pending: [],
      pendingBytes: 0,
      held: undefined,
      isQueued: false,
      stoppedAt: undefined,
      unfinished: undefined,
    }
    for (const entry of entriesOf(index, filter)) entry.add(group)
    this.groups += 1
    return group
  }

  /** Forgets a group that has no streams any more. */
  remove(group: FilterGroup): void {
    const index = this.#tenants.get(group.filter.tenant)
    if (index === undefined) return
    for (const entry of entriesOf(index, group.filter)) entry.remove(group)
    this.groups -= 1
    const { byTask, bySession, byAgent, byType, all } = index
    if (byTask.size + bySession.size + byAgent.size + byType.size + all.length === 0) {
      this.#tenants.delete(group.filter.tenant)
    }
  }
}

interface IndexEntry {
  get(): FilterGroup[] | undefined
  add(group: FilterGroup): void
  remove(group: FilterGroup): void
}

function entriesOf(index: TenantIndex, filter: StreamFilter): IndexEntry[] {
  if (filter.taskId !== undefined) return [entryIn(index.byTask, filter.taskId)]
  if (filter.sessionId !== undefined) return [entryIn(index.bySession, filter.sessionId)]
  if (filter.agent !== undefined) return [entryIn(index.byAgent, filter.agent)]
  if (filter.types === ALL_TYPES) return [entryAt(index.all)]
  const entries: IndexEntry[] = []
  for (let bit = 1; bit <= ALL_TYPES; bit *= 2) {
    if ((filter.types & bit) !== 0) entries.push(entryIn(index.byType, bit))
  }
  return entries
}

function entryIn<K>(map: Map<K, FilterGroup[]>, key: K): IndexEntry {
  return {
    get: () => map.get(key),
    add(group) {
      const list = map.get(key)
      if (list === undefined) map.set(key, [group])
      else list.push(group)
    },
    remove(group) {
      const list = map.get(key)
      if (list === undefined) return
      removeFrom(list, group)
      if (list.length === 0) map.delete(key)
    },
  }
}

function entryAt(list: FilterGroup[]): IndexEntry {
  return {
    get: () => list,
    add: (group) => void list.push(group),
    remove: (group) => removeFrom(list, group),
  }
}

/** Moves the last group into the freed index: the order of groups has no meaning. */
function removeFrom(list: FilterGroup[], group: FilterGroup): void {
  const index = list.indexOf(group)
  const last = list.pop()
  if (index >= 0 && index < list.length && last !== undefined) list[index] = last
}

const NO_GROUPS: readonly FilterGroup[] = []
