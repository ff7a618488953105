import { EVENT_TYPES, isSessionType, LIMITS, type EventType } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { Type, type TSchema } from '@sinclair/typebox'
import { identifierSchema, nullable, readEventTypeSchema, timeSchema, typeIdSchema } from '@ariftly/contract'

/** `evt_…`. */
export const eventIdSchema: TSchema = typeIdSchema('evt', 'TypeID of a UUIDv7; its millisecond is `created_at`.')

const READ_DATA_TEXT = "The posted payload: the caller's bytes, with `task_id` (else `session_id`) as first member."

/** Members of an event in answers, except `type` and `data`. */
function readEvent(type: TSchema, data: TSchema, more: Readonly<Record<string, TSchema>>, text: string): TSchema {
  return Type.Object(
    {
      object: Type.Literal('event'),
      id: eventIdSchema,
      type,
      created_at: timeSchema,
      task_id: nullable(identifierSchema),
      agent: nullable(identifierSchema),
      session_id: nullable(identifierSchema),
      data,
      ...more,
    },
    { description: text },
  )
}

const openData = Type.Unsafe({ type: 'object', additionalProperties: true, description: READ_DATA_TEXT })

/** The event object: in webhooks, and in streams with `envelope=true`. */
export const eventSchema: TSchema = readEvent(readEventTypeSchema, openData, {}, 'An event. Events never change.')

/** Further members of lists and single events, where `include` asks for them. */
const INCLUDED = {
  log: Type.Optional(Type.Unsafe({ $ref: '#/components/schemas/EventLog' })),
  deliveries: Type.Optional(
    Type.Array(Type.Unsafe({ $ref: '#/components/schemas/EventDelivery' }), {
      maxItems: 100,
      description: 'With `include=deliveries`: the newest 100 by id.',
    }),
  ),
  deliveries_truncated: Type.Optional(Type.Literal(true, { description: 'There are more than 100 deliveries.' })),
} as const

/** An event of one type in answers; `data` describes its payload. A component of the OpenAPI document. */
export function readEventSchemaOf(type: EventType, data: TSchema): TSchema {
  const word = Type.Unsafe({ type: 'string', const: type })
  return readEvent(word, data, INCLUDED, `${catalogue[type].description}. Events never change.`)
}

/** An event of a type that the document does not know yet: the last member of the union. A component of the OpenAPI document. */
export const otherEventSchema: TSchema = readEvent(
  readEventTypeSchema,
  openData,
  INCLUDED,
  'An event of a type that is added later. Its members are those of every event.',
)

/** How an event went through the log. */
export const eventLogSchema: TSchema = Type.Object(
  {
    appended_at: Type.Unsafe({ ...timeSchema, description: 'When it was appended to the log.' }),
    projected_at: nullable(
      Type.Unsafe({ ...timeSchema, description: 'When queries could see it; null for old events.' }),
    ),
    partition: Type.Optional(Type.Integer({ minimum: 0, description: 'For keys with scope `platform`.' })),
    offset: Type.Optional(Type.String({ pattern: '^[0-9]+$', description: 'For keys with scope `platform`.' })),
  },
  { description: 'With `include=log`.' },
)

/** A task with two of its events. `created` and `last` are the schemas of an event of type `task.created` and of any. */
export function taskSchema(created: TSchema, last: TSchema): TSchema {
  return Type.Object({
    object: Type.Literal('task'),
    id: identifierSchema,
    created_at: Type.Unsafe({ ...timeSchema, description: 'Of its `task.created`.' }),
    agent: nullable(Type.Unsafe({ ...identifierSchema, description: 'The agent of its `task.created`.' })),
    created,
    last: Type.Unsafe({ ...last, description: 'The newest event of the task.' }),
  })
}

/** A type of events: what can be posted. */
export const eventTypeObjectSchema: TSchema = Type.Object({
  object: Type.Literal('event_type'),
  type: readEventTypeSchema,
  description: Type.String(),
  schema: Type.Unsafe({
    type: 'object',
    additionalProperties: true,
    description: 'JSON Schema of the posted `data`.',
  }),
  example: Type.Unsafe({ type: 'object', additionalProperties: true, description: 'An example of `data`.' }),
})

/**
 * What is posted: one event of a type, whose payload `data` describes. The members are the same for all types; `task_id` must be there
 * for all but `session.*`, which must have `session_id`.
 */
export function newEventSchemaOf(type: EventType, data: TSchema): TSchema {
  return Type.Object(
    {
      type: Type.Unsafe({ type: 'string', const: type }),
      task_id: nameMember(!isSessionType(type)),
      session_id: nameMember(isSessionType(type)),
      agent: Type.Optional(nullable(identifierSchema)),
      data,
      ...IDENTITY,
    },
    { additionalProperties: false, title: type, description: `${catalogue[type].description}. ${PAYLOAD_LIMITS}` },
  )
}

/** `task_id` or `session_id`. */
function nameMember(needed: boolean): TSchema {
  return needed ? identifierSchema : Type.Optional(nullable(identifierSchema))
}

/** Any event that can be posted. */
export function newEventSchema(): TSchema {
  return Type.Unsafe({ oneOf: EVENT_TYPES.map((type) => newEventSchemaOf(type, postedPayloadSchema(type))) })
}

const PAYLOAD_LIMITS = `\`data\` has at most ${LIMITS.dataBytesMax / 1024} KiB and ${LIMITS.dataDepthMax} levels.`

const IDENTITY = {
  id: Type.Optional({
    ...nullable(eventIdSchema),
    description:
      'An id of your own (TypeID of a UUIDv7) makes a repeated post harmless: the same id is the same event.',
  }),
  created_at: Type.Optional({
    ...nullable(timeSchema),
    description: 'When it happened, if not now: at most 90 days back and 5 minutes ahead. Must agree with `id`.',
  }),
  idempotency_key: Type.Optional(
    nullable(
      Type.String({
        minLength: 1,
        maxLength: LIMITS.idempotencyKeyCharsMax,
        description: 'With `created_at`: the id is derived from both, so a repeated post is the same event.',
      }),
    ),
  ),
  object: Type.Optional({
    ...oneEvent(),
    description: 'Allowed and ignored, so that an event that was read can be posted unchanged.',
  }),
} as const

function oneEvent(): TSchema {
  return Type.Unsafe({ type: ['string', 'null'], enum: ['event', null] })
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, TSchema>>
  readonly required?: readonly string[]
}

/** The payload of a type in the log, in streams and in webhooks: with its first member. */
export function payloadSchema(type: EventType): TSchema {
  const entry = catalogue[type]
  const { properties, required = [] } = entry.schema as unknown as ObjectSchema
  const first = { task_id: identifierSchema, ...(isSessionType(type) ? { session_id: identifierSchema } : {}) }
  return Type.Unsafe({
    type: 'object',
    title: type,
    description: `${entry.description}. Other members are the caller's own.`,
    properties: { ...first, ...plainMembers(properties) },
    ...(isSessionType(type)
      ? { required: [...required], anyOf: [{ required: ['task_id'] }, { required: ['session_id'] }] }
      : { required: ['task_id', ...required] }),
  })
}

/** The payload of a type in posts: `task_id` may be left out, as the event names it. */
export function postedPayloadSchema(type: EventType): TSchema {
  const entry = catalogue[type]
  const { properties } = entry.schema as unknown as ObjectSchema
  return {
    ...plain(entry.schema),
    properties: plainMembers(properties),
    additionalProperties: true,
    title: `data of ${type}`,
    description: `${entry.description}. Other members are kept.`,
  }
}

/** Members whose value may be of several types are written as `anyOf`, one type each: generators do not know the short form. */
function plainMembers(properties: Readonly<Record<string, TSchema>>): Readonly<Record<string, TSchema>> {
  return Object.fromEntries(Object.entries(plain(properties)).map(([name, schema]) => [name, withAlternatives(schema)]))
}

function withAlternatives(schema: TSchema): TSchema {
  const { type, items, ...rest } = schema as { readonly type?: unknown; readonly items?: unknown }
  if (!Array.isArray(type)) return schema
  const alternatives = type.map((each: unknown) => (each === 'array' ? { type: each, items } : { type: each }))
  return Type.Unsafe({ ...rest, anyOf: alternatives })
}

/** Without what TypeBox keeps in symbols. */
function plain<T>(schema: T): T {
  return JSON.parse(JSON.stringify(schema)) as T
}

/** An event of each type, as it can be posted. */
export const POSTED_EXAMPLES: readonly {
  readonly type: EventType
  readonly event: Readonly<Record<string, unknown>>
}[] = EVENT_TYPES.map((type) => ({
  type,
  event: {
    type,
    ...(isSessionType(type)
      ? { session_id: 'session_01j9x8h3k5m7n9p1q3r5s7t9v1' }
      : { task_id: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5' }),
    agent: 'analyzer',
    data: catalogue[type].example,
  },
}))
