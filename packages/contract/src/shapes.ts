import { EVENT_TYPES } from '@ariftly/events'

/** What a text must be like, for schemas and for the message of a value that is not. */
interface Shape {
  /** The `pattern` of a JSON Schema. */
  readonly pattern: string
  /** The end of the sentence "must be …". */
  readonly words: string
}

/** A TypeID: a prefix and a UUIDv7 in lower-case base 32. */
export function typeIdShape(prefix: string): Shape {
  return { pattern: `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`, words: `an id, ${prefix}_…` }
}

const TYPES = `(?:${EVENT_TYPES.join('|').replaceAll('.', String.raw`\.`)})`

/** Event types, separated by commas. The reader of the text checks that none is given twice. */
export const TYPE_LIST: Shape = {
  pattern: `^${TYPES}(?:,${TYPES})*$`,
  words: 'an event type, or several separated by commas, each once',
}

/** A pattern in words, where there are better ones than the pattern itself. */
export function patternWords(pattern: string): string {
  if (pattern === TYPE_LIST.pattern) return `be ${TYPE_LIST.words}`
  const [, prefix] = /^\^(\w+)_\[0-7\]/.exec(pattern) ?? []
  return prefix === undefined ? `match ${pattern}` : `be ${typeIdShape(prefix).words}`
}
