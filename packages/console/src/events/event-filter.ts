import type { EventType, StreamFilter } from '@ariftly/sdk'

/** The filter of lists and streams, in the form of the address: empty members are left out. */
export interface EventSearch {
  /** Comma-separated. */
  readonly types?: string | undefined
  readonly task_id?: string | undefined
  readonly session_id?: string | undefined
  readonly agent?: string | undefined
}

const NAMES = ['types', 'task_id', 'session_id', 'agent'] as const

/** Reads the filter of an address. */
export function readEventSearch(search: Readonly<Record<string, unknown>>): EventSearch {
  return Object.fromEntries(NAMES.flatMap((name) => entryOf(name, search[name])))
}

/** A member of an address; none for an empty one. */
export function entryOf(name: string, value: unknown): [string, string][] {
  return typeof value === 'string' && value !== '' ? [[name, value]] : []
}

/** The filter as the SDK takes it. */
export function streamFilterOf({ types, ...rest }: EventSearch): StreamFilter {
  return { ...rest, ...(types === undefined ? {} : { types: typesOf(types) }) }
}

/** Types of a comma-separated text. Unknown ones are sent too: the API names them. */
export function typesOf(text: string): EventType[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '') as EventType[]
}
