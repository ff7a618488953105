import { EVENT_TYPES, LIMITS } from '@ariftly/events'
import { SCOPES } from '@ariftly/http'
import { Type, type TSchema } from '@sinclair/typebox'

/** A text that is one of some words. */
export function oneOf(words: readonly string[], description?: string): TSchema {
  return Type.Unsafe({ type: 'string', enum: [...words], ...(description === undefined ? {} : { description }) })
}

/** A text that is one of some words, to which more may come: readers ignore those that they do not know. */
export function oneOfMore(words: readonly string[]): TSchema {
  return Type.Unsafe({ type: 'string', enum: [...words], 'x-extensible': true })
}

/** A schema that also takes null. `schema` must be of one plain type. */
export function nullable(schema: TSchema): TSchema {
  const { type } = schema as { readonly type?: string }
  if (typeof type !== 'string') throw new TypeError('Only a schema of one plain type can be made nullable.')
  const { enum: words } = schema as { readonly enum?: readonly unknown[] }
  return Type.Unsafe({ ...schema, type: [type, 'null'], ...(words === undefined ? {} : { enum: [...words, null] }) })
}

/** A TypeID: a prefix and a UUIDv7 in lower-case base 32. */
export function typeIdSchema(prefix: string, description: string): TSchema {
  return Type.String({ pattern: `^${prefix}_[0-7][0-9a-hjkmnp-tv-z]{25}$`, description })
}

/** `task_id`, `session_id`, `agent`. */
export const identifierSchema: TSchema = Type.String({
  minLength: 1,
  maxLength: LIMITS.identifierCharsMax,
  pattern: '^[A-Za-z0-9_.:/-]+$',
})

/** What a tenant is called. */
export const tenantSchema: TSchema = Type.String({
  pattern: '^[a-z0-9-]{1,64}$',
  minLength: 1,
  maxLength: LIMITS.tenantCharsMax,
})

/** One of the ten types; more may come. */
export const eventTypeSchema: TSchema = oneOfMore(EVENT_TYPES)

/** RFC 3339 in UTC with milliseconds, as all our answers write times. */
export const timeSchema: TSchema = Type.String({ format: 'date-time' })

/** `limit` of a list. */
export const limitSchema: TSchema = Type.Integer({ minimum: 1, maximum: 500, default: 50 })

/** `cursor` of a list. */
export const cursorSchema: TSchema = Type.String({ minLength: 1, description: 'Opaque.' })

/** A scope of an API key. */
export const scopeSchema: TSchema = oneOf(SCOPES)
