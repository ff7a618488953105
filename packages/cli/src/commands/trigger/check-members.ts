import { CliError } from '../../errors/cli-error.ts'
import { isObject } from './merge.ts'
import { meant, nearestOf } from '@ariftly/events/nearest-of'

/** The part of a JSON Schema that says which members there are. */
export interface DataSchema {
  readonly properties?: Readonly<Record<string, DataSchema>>
  readonly type?: string | readonly string[]
}

/**
 * Checks that the catalogue names all members of `value`, as deep as `schema` does: a member of any shape takes everything. Throws a CliError
 * `unknown_member` that names the nearest one.
 */
export function checkMembers(type: string, schema: DataSchema, value: unknown, path: readonly string[] = []): void {
  if (!isObject(value)) return
  const names = namesOf(schema)
  if (names === undefined) return
  for (const [name, member] of Object.entries(value)) {
    const own = names[name]
    if (own === undefined) throw unknown(type, [...path, name], Object.keys(names))
    checkMembers(type, own, member, [...path, name])
  }
}

/** Undefined where any member may be; none of text, numbers and booleans. */
function namesOf({ properties, type }: DataSchema): DataSchema['properties'] {
  if (properties !== undefined) return Object.assign(Object.create(null), properties) as DataSchema['properties']
  const types = typeof type === 'string' ? [type] : (type ?? [])
  return types.length === 0 || types.includes('object') ? undefined : {}
}

function unknown(type: string, path: readonly string[], names: readonly string[]): CliError {
  const nearest = nearestOf(path.at(-1) ?? '', names)
  const full = nearest === undefined ? undefined : ['data', ...path.slice(0, -1), nearest].join('.')
  return new CliError('unknown_member', `${type} has no member ${['data', ...path].join('.')}.${meant(full)}`, {
    pointer: `/data/${path.map((name) => name.replaceAll('~', '~0').replaceAll('/', '~1')).join('/')}`,
    remedy: 'See ariftly types, or add --allow-unknown: the API keeps members that it does not know.',
  })
}
