import { entryOf, readEventSearch, type EventSearch } from './event-filter.ts'

/** The list of events in the form of the address. */
export interface ListSearch extends EventSearch {
  /** ISO 8601, exclusive, by `created_at`. */
  readonly after?: string | undefined
  /** ISO 8601, exclusive, by `created_at`. */
  readonly before?: string | undefined
  readonly cursor?: string | undefined
}

/** Reads the list of an address. */
export function readListSearch(search: Readonly<Record<string, unknown>>): ListSearch {
  const more = (['after', 'before', 'cursor'] as const).flatMap((name) => entryOf(name, search[name]))
  return { ...readEventSearch(search), ...Object.fromEntries(more) }
}
