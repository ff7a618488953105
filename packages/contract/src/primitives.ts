import { EVENT_TYPES, LIMITS } from '@ariftly/events'
import { SCOPES } from '@ariftly/http'
import { Type, type Static, type TSchema, type TString, type TUnsafe } from '@sinclair/typebox'
import { checkedBy } from './checks.ts'
import { TENANT } from './limits.ts'
import { typeIdShape } from './shapes.ts'

/** A string that is one of some words. */
export function oneOf<W extends string>(words: readonly W[], description?: string): TUnsafe<W> {
  return Type.Unsafe<W>({ type: 'string', enum: [...words], ...(description === undefined ? {} : { description }) })
}

/**
 * A string of an answer that is one of some words, to which more may be added. It is no `enum`: a generated client would refuse a word that is
 * new. The words are in the description, and in `x-extensible-enum` for tools that know the keyword.
 */
export function oneOfMore<W extends string>(words: readonly W[], description?: string): TUnsafe<W> {
  const known = `Known values: ${words.map((word) => `\`${word}\``).join(', ')}; more may be added.`
  return Type.Unsafe<W>({
    type: 'string',
    description: description === undefined ? known : `${description} ${known}`,
    'x-extensible-enum': [...words],
  })
}

/** A schema that also takes null. `schema` must be of one plain type. */
export function nullable<S extends TSchema>(schema: S): TUnsafe<Static<S> | null> {
  const { type, enum: words } = schema as { readonly type?: string; readonly enum?: readonly unknown[] }
  if (typeof type !== 'string') throw new TypeError('Only a schema of one plain type can be made nullable.')
  return Type.Unsafe<Static<S> | null>({
    ...schema,
    type: [type, 'null'],
    ...(words === undefined ? {} : { enum: [...words, null] }),
  })
}

/** A schema with a description. */
export function described<S extends TSchema>(schema: S, description: string): S {
  return { ...schema, description }
}

/** A TypeID: a prefix and a UUIDv7 in lower-case base 32. */
export function typeIdSchema(prefix: string, description: string): TString {
  return Type.String({ pattern: typeIdShape(prefix).pattern, description })
}

/** `task_id`, `session_id`, `agent`. */
export const identifierSchema = Type.String({
  minLength: 1,
  maxLength: LIMITS.identifierCharsMax,
  pattern: '^[A-Za-z0-9_.:/-]+$',
})

/** What a tenant is called. */
export const tenantSchema = Type.String({
  pattern: TENANT.source,
  minLength: 1,
  maxLength: LIMITS.tenantCharsMax,
})

/** One of the ten types, in a request. */
export const eventTypeSchema = oneOf(EVENT_TYPES)

/** The type of an event, in an answer: more may be added. */
export const readEventTypeSchema = oneOfMore(EVENT_TYPES)

/** RFC 3339 in UTC with milliseconds, as all our answers write times. */
export const timeSchema: TSchema = Type.String({ format: 'date-time' })

/** A time in a body: ISO 8601 with any offset; none means UTC. */
export const timeInputSchema = checkedBy('time', Type.String({ format: 'date-time' }))

/** `limit` of a list. */
export const limitSchema: TSchema = Type.Integer({ minimum: 1, maximum: 500, default: 50 })

/** `cursor` of a list. */
export const cursorSchema: TSchema = Type.String({ minLength: 1, description: 'Opaque.' })

/** A scope of an API key, in a request. */
export const scopeSchema = oneOf(SCOPES)

/** A scope of an API key, in an answer: more may be added. */
export const readScopeSchema = oneOfMore(SCOPES)
