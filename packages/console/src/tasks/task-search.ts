import { entryOf } from '../events/event-filter.ts'

/** The page of a task's events in the form of the address. */
export interface TaskSearch {
  /** Oldest first without it. */
  readonly order?: 'desc' | undefined
  readonly cursor?: string | undefined
}

/** Reads the page of an address. */
export function readTaskSearch(search: Readonly<Record<string, unknown>>): TaskSearch {
  return {
    ...(search['order'] === 'desc' ? { order: 'desc' } : {}),
    ...Object.fromEntries(entryOf('cursor', search['cursor'])),
  }
}
