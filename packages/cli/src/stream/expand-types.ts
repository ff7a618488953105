import type { EventTypeDescription } from '@ariftly/sdk'
import { CliError } from '../errors/cli-error.ts'

/** A type of the catalogue. */
export type TypeName = EventTypeDescription['type']

/**
 * The exact types that patterns name: a type, a group (`task.*`) or `*`; undefined for all types, also without a pattern. Throws a CliError
 * `unknown_type` for one that names none.
 */
export function expandTypes(
  patterns: readonly string[],
  catalogue: readonly TypeName[],
): readonly TypeName[] | undefined {
  if (patterns.length === 0 || patterns.includes('*')) return undefined
  const wanted = new Set(patterns.flatMap((pattern) => matching(pattern, catalogue)))
  return catalogue.filter((type) => wanted.has(type))
}

function matching(pattern: string, catalogue: readonly TypeName[]): readonly TypeName[] {
  const group = /^(\w+\.)\*$/.exec(pattern)?.[1]
  const found = catalogue.filter((type) => (group === undefined ? type === pattern : type.startsWith(group)))
  if (found.length > 0) return found
  throw new CliError('unknown_type', `No event type is called ${pattern}.`, {
    pointer: 'events',
    remedy: `The types are ${catalogue.join(', ')}, and groups such as task.*`,
  })
}
