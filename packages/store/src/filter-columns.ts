import { FILTER_MEMBERS, FILTER_NAMES, type FilterMember } from '@ariftly/events'
import { plain, type Column } from './define-row.ts'

/** The attributes that filters name, as members of a row: of an event what it has, of a webhook what it wants. */
export const filterColumns = Object.fromEntries(
  FILTER_MEMBERS.map((member) => [member, plain<string | null>({ name: FILTER_NAMES[member] })]),
) as { readonly [M in FilterMember]: Column<string | null> }
