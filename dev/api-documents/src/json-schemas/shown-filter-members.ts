import { identifierSchema, nullable } from '@ariftly/contract'
import { FILTER_NAMES, type NamedFilter } from '@ariftly/events'

/** The attributes that a filter names, as answers show them. */
export const shownFilterMembers = Object.fromEntries(
  Object.values(FILTER_NAMES).map((name) => [name, nullable(identifierSchema)]),
) as { readonly [N in keyof NamedFilter]: ReturnType<typeof nullable<typeof identifierSchema>> }
