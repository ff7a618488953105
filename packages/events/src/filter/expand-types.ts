import { EVENT_TYPES, type EventType } from '../event-type.ts'

/** The exact types that words name: types, groups (`task.*`) and `*`; null for all of them. Unknown words name none. */
export function expandTypes(words: readonly string[]): readonly EventType[] | null {
  const types = EVENT_TYPES.filter((type) => words.some((word) => isNamedBy(type, word)))
  return types.length === EVENT_TYPES.length ? null : types
}

function isNamedBy(type: string, word: string): boolean {
  return word === type || word === '*' || (word.endsWith('.*') && type.startsWith(word.slice(0, -1)))
}
