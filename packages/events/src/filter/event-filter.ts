import {
  FILTER_MEMBERS,
  FILTER_NAMES,
  VALUE_READERS,
  type EventAttributes,
  type FilterMember,
  type FilterValues,
} from './attributes.ts'
import { expandTypes } from './expand-types.ts'

/** The filter of a list, a stream or a webhook; a member that is absent or null filters nothing. */
export interface EventFilter extends Partial<FilterValues> {
  /** Exact types; of a webhook also groups (`task.*`) and `*`. */
  readonly types?: readonly string[] | null
}

/** The filter of one tenant's stream or webhook in memory: in one form, so that equal filters are found to be equal. */
export interface TenantFilter extends FilterValues {
  readonly tenant: string
  /** Exact types in the order of the specification, none twice; null filters nothing. */
  readonly types: readonly string[] | null
}

/** The values of a filter by their names in queries and bodies. */
export type NamedFilter = { readonly [M in FilterMember as (typeof FILTER_NAMES)[M]]: string | null }

/** The values of a filter that names none. */
export const NO_FILTER = Object.fromEntries(FILTER_MEMBERS.map((member) => [member, null])) as {
  readonly [M in FilterMember]: null
}

/** Makes the filter that a query or body names; what is not given is left out. */
export function filterOf(
  given: { readonly [N in keyof NamedFilter]?: string | null | undefined } & {
    readonly types?: readonly string[] | null | undefined
  },
): EventFilter {
  const { types } = given
  const values = FILTER_MEMBERS.map((member) => [member, given[FILTER_NAMES[member]]] as const)
  return {
    ...Object.fromEntries(values.filter(([, value]) => value !== undefined)),
    ...(types === undefined ? {} : { types }),
  }
}

/** A filter as answers show it; `types` is named by each of them. */
export function shownFilter(filter: EventFilter): NamedFilter {
  const values = FILTER_MEMBERS.map((member) => [FILTER_NAMES[member], filter[member] ?? null])
  return Object.fromEntries(values) as NamedFilter
}

/** Makes the filter of a tenant's stream or webhook. */
export function tenantFilter(tenant: string, filter: EventFilter): TenantFilter {
  const values = Object.fromEntries(FILTER_MEMBERS.map((member) => [member, filter[member] ?? null])) as FilterValues
  return { tenant, ...values, types: filter.types == null ? null : expandTypes(filter.types) }
}

/** Whether a filter wants an event. */
export function matches(filter: TenantFilter, event: EventAttributes): boolean {
  return (
    filter.tenant === event.tenant &&
    matchesValues(filter, event, 0) &&
    (filter.types === null || filter.types.includes(event.type))
  )
}

/** Whether an event has what a filter names, from the attribute with the number `from` of {@link FILTER_MEMBERS} on. */
export function matchesValues(filter: FilterValues, event: FilterValues, from: number): boolean {
  for (let at = from; at < VALUE_READERS.length; at += 1) {
    const valueOf = VALUE_READERS[at]
    const wanted = valueOf?.(filter) ?? null
    if (wanted !== null && wanted !== valueOf?.(event)) return false
  }
  return true
}

/** Whether two filters want the same events. */
export function isSameFilter(a: TenantFilter, b: TenantFilter): boolean {
  return (
    a.tenant === b.tenant &&
    FILTER_MEMBERS.every((member) => a[member] === b[member]) &&
    a.types?.length === b.types?.length &&
    (a.types ?? []).every((type, at) => type === b.types?.[at])
  )
}
