/** Who is hurt by a change: senders of the value, its readers, or both. */
export type Direction = 'sent' | 'read' | 'both'

type Json = Readonly<Record<string, unknown>>

/** Keywords that say nothing about which values are good. */
const ANNOTATIONS: ReadonlySet<string> = new Set([
  'title',
  'description',
  'examples',
  'example',
  'default',
  'deprecated',
  '$id',
  '$schema',
  '$comment',
  // Values that are known today; readers expect further ones.
  'x-extensible-enum',
])

/** Keywords that are compared by rules of their own. */
const STRUCTURE: ReadonlySet<string> = new Set([
  '$defs',
  'properties',
  'required',
  'items',
  'enum',
  'type',
  'additionalProperties',
  'oneOf',
  'anyOf',
])

/**
 * What a change of a published JSON Schema breaks, as sentences that start with a JSON pointer; empty if nothing. Small and
 * strict: the schema may gain optional members and values. Values that clients send may also have fewer constraints, values that
 * they read more; any other change breaks a client. References must be resolved before.
 */
export function findBreakingSchemaChanges(
  before: unknown,
  after: unknown,
  direction: Direction = 'both',
  at = '',
): readonly string[] {
  if (!isObject(before) || !isObject(after)) return same(before, after) ? [] : [`${at || '/'}: changed`]
  return [
    ...typeChanges(before, after, direction, at),
    ...enumChanges(before, after, direction, at),
    ...requiredChanges(before, after, direction, at),
    ...memberChanges(before, after, direction, `${at}/properties`),
    ...memberChanges(before, after, direction, `${at}/$defs`),
    ...openness(before, after, direction, at),
    ...branchChanges(before, after, direction, at),
    ...(isObject(before['items']) || isObject(after['items'])
      ? findBreakingSchemaChanges(before['items'] ?? {}, after['items'] ?? {}, direction, `${at}/items`)
      : []),
    ...otherKeywords(before, after, direction, at),
  ]
}

function typeChanges(before: Json, after: Json, direction: Direction, at: string): readonly string[] {
  return setChanges(listOf(before['type']), listOf(after['type']), direction, `${at}/type`, 'type')
}

function enumChanges(before: Json, after: Json, direction: Direction, at: string): readonly string[] {
  return setChanges(wordsOf(before), wordsOf(after), direction, `${at}/enum`, 'value')
}

/** An absent set is every value. */
function setChanges(
  before: readonly unknown[] | undefined,
  after: readonly unknown[] | undefined,
  direction: Direction,
  at: string,
  what: string,
): readonly string[] {
  if (before === undefined && after === undefined) return []
  if (before === undefined) return direction === 'read' ? [] : [`${at}: is limited now`]
  if (after === undefined) return direction === 'sent' ? [] : [`${at}: is not limited any more`]
  const gone = direction === 'read' ? [] : before.filter((value) => !after.includes(value))
  const added = direction === 'sent' ? [] : after.filter((value) => !before.includes(value))
  return [
    ...gone.map((value) => `${at}: the ${what} ${JSON.stringify(value)} is gone`),
    ...added.map((value) => `${at}: the ${what} ${JSON.stringify(value)} is new to readers`),
  ]
}

function requiredChanges(before: Json, after: Json, direction: Direction, at: string): readonly string[] {
  const had = listOf(before['required']) ?? []
  const has = listOf(after['required']) ?? []
  const known = isObject(before['properties']) ? before['properties'] : {}
  const added = direction === 'read' ? [] : has.filter((name) => !had.includes(name))
  // A removed member is reported once, by `memberChanges`.
  const members = isObject(after['properties']) ? after['properties'] : {}
  const gone =
    direction === 'sent'
      ? []
      : had.filter((name) => !has.includes(name) && (String(name) in members || !(String(name) in known)))
  return [
    ...added.map((name) => `${at}/required: ${String(name)} must be sent now`),
    ...gone.map((name) => `${at}/required: ${String(name)} may be absent now`),
  ]
}

/** Of the keyword at the end of `at`, which names schemas: members of an object, or definitions of a document. */
function memberChanges(before: Json, after: Json, direction: Direction, at: string): readonly string[] {
  const keyword = at.slice(at.lastIndexOf('/') + 1)
  const [had, has] = [before[keyword], after[keyword]].map((named) => (isObject(named) ? named : {}))
  return Object.entries(had ?? {}).flatMap(([name, schema]) => {
    const pointer = `${at}/${name}`
    const now = has?.[name]
    return now === undefined ? [`${pointer}: is gone`] : findBreakingSchemaChanges(schema, now, direction, pointer)
  })
}

function openness(before: Json, after: Json, direction: Direction, at: string): readonly string[] {
  const had = before['additionalProperties'] ?? true
  const has = after['additionalProperties'] ?? true
  if (same(had, has)) return []
  if (isObject(had) && isObject(has))
    return findBreakingSchemaChanges(had, has, direction, `${at}/additionalProperties`)
  if (has === true && direction === 'sent') return []
  return [`${at}/additionalProperties: changed`]
}

/** Alternatives are compared in their order; more of them is like more words in an enum. */
function branchChanges(before: Json, after: Json, direction: Direction, at: string): readonly string[] {
  return (['oneOf', 'anyOf'] as const).flatMap((keyword) => {
    const had = listOf(before[keyword]) ?? []
    const has = listOf(after[keyword]) ?? []
    const pointer = `${at}/${keyword}`
    if (had.length > has.length) return [`${pointer}: has fewer alternatives`]
    if (had.length < has.length && direction !== 'sent') return [`${pointer}: has more alternatives`]
    return had.flatMap((branch, index) =>
      findBreakingSchemaChanges(branch, has[index], direction, `${pointer}/${index}`),
    )
  })
}

const BOUNDS: Readonly<Record<string, 'upper' | 'lower'>> = {
  maximum: 'upper',
  maxLength: 'upper',
  maxItems: 'upper',
  maxProperties: 'upper',
  minimum: 'lower',
  minLength: 'lower',
  minItems: 'lower',
}

function otherKeywords(before: Json, after: Json, direction: Direction, at: string): readonly string[] {
  const keywords = new Set([...Object.keys(before), ...Object.keys(after)])
  return [...keywords].flatMap((keyword) => {
    if (ANNOTATIONS.has(keyword) || STRUCTURE.has(keyword) || keyword === 'const') return []
    const [had, has] = [before[keyword], after[keyword]]
    if (same(had, has)) return []
    const wider = isWider(keyword, had, has)
    if (wider === true && direction === 'sent') return []
    if (wider === false && direction === 'read') return []
    return [`${at}/${keyword}: changed`]
  })
}

/** Whether more values pass than before; undefined if that is unknown. */
function isWider(keyword: string, had: unknown, has: unknown): boolean | undefined {
  if (has === undefined) return true
  if (had === undefined) return false
  const bound = BOUNDS[keyword]
  if (bound === undefined || typeof had !== 'number' || typeof has !== 'number') return undefined
  return bound === 'upper' ? has > had : has < had
}

/** A `const` is an `enum` of one. */
function wordsOf(schema: Json): readonly unknown[] | undefined {
  return 'const' in schema ? [schema['const']] : (schema['enum'] as readonly unknown[] | undefined)
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined) return undefined
  return Array.isArray(value) ? (value as readonly unknown[]) : [value]
}

function same(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other)
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
