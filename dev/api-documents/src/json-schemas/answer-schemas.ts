import { Type, type TSchema } from '@sinclair/typebox'
import { eventIdSchema } from './event-schemas.ts'
import {
  readEventTypeSchema,
  nullable,
  readScopeSchema,
  tenantSchema,
  timeSchema,
  typeIdSchema,
} from '@ariftly/contract'
import { shownFilterMembers } from './shown-filter-members.ts'

/** A page of a list of what `item` describes. */
export function listSchema(item: TSchema): TSchema {
  return Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(item),
    has_more: Type.Boolean(),
    next_cursor: nullable(
      Type.String({ description: 'Pass it as `cursor` to get the next page; null on the last page.' }),
    ),
  })
}

/** What is said about an entry that the log has, or that it could not take now. */
export const acceptedEntrySchema: TSchema = Type.Object({
  index: Type.Integer({ minimum: 0 }),
  id: eventIdSchema,
  status: Type.Unsafe({
    type: 'string',
    enum: ['accepted', 'retry'],
    description: '`accepted`: safe in the log. `retry`: not written; post it again with this id.',
  }),
})

/** What is said about an entry that is no event. */
export const refusedEntrySchema: TSchema = Type.Object({
  index: Type.Integer({ minimum: 0 }),
  status: Type.Literal('refused'),
  error: Type.Object({
    code: Type.String(),
    pointer: Type.String({ description: 'JSON pointer (RFC 6901) into the entry.' }),
    message: Type.String(),
  }),
})

/** What is said about each entry of a posted batch; the two parameters are its alternatives, or references to them. */
export function ingestResultsSchema(accepted: TSchema, refused: TSchema): TSchema {
  return Type.Object({
    object: Type.Literal('list'),
    data: Type.Array(Type.Unsafe({ oneOf: [accepted, refused] }), {
      description: 'One for each entry, in the order in which they were posted.',
    }),
  })
}

function linkSchema(description: string): TSchema {
  return Type.String({ format: 'uri-reference', description })
}

/** Answer of `GET /`. */
export const indexSchema: TSchema = Type.Object({
  object: Type.Literal('index'),
  name: Type.String(),
  version: Type.String({ description: 'Of the API.' }),
  links: Type.Object(
    {
      docs: linkSchema('The reference.'),
      guides: linkSchema('The guides.'),
      openapi: linkSchema('The OpenAPI document.'),
      llms: linkSchema('The API for language models.'),
      asyncapi: linkSchema('The AsyncAPI document.'),
      problems: linkSchema('All problems.'),
    },
    { description: 'Paths of the documents.' },
  ),
})

/** A sealed token that opens streams. */
export const streamTokenSchema: TSchema = Type.Object({
  object: Type.Literal('stream_token'),
  token: Type.String({ description: 'For `?token=` of the stream; nothing else takes it.' }),
  expires_at: timeSchema,
  ...shownFilterMembers,
  types: nullable(Type.Array(readEventTypeSchema)),
})

/** `key_…`. */
const apiKeyMembers = {
  object: Type.Literal('api_key'),
  id: typeIdSchema('key', 'TypeID of the key.'),
  tenant: tenantSchema,
  scopes: Type.Array(readScopeSchema),
  quota: Type.Object({
    events_per_s: nullable(Type.Integer({ minimum: 1 })),
    bytes_per_s: nullable(Type.Integer({ minimum: 1 })),
  }),
  expires_at: nullable(timeSchema),
} as const

/** The key that calls. */
export const currentApiKeySchema: TSchema = Type.Object(apiKeyMembers)

const storedApiKeyMembers = {
  ...apiKeyMembers,
  name: Type.String(),
  created_at: timeSchema,
  last_used_at: { ...nullable(timeSchema), description: 'To the minute, at most 60 s old.' },
} as const

/** A key, without itself. */
export const apiKeySchema: TSchema = Type.Object(storedApiKeyMembers)

/** A key just made: `key` is shown this once. */
export const newApiKeySchema: TSchema = Type.Object({
  ...storedApiKeyMembers,
  key: Type.String({ description: 'The key itself; it is shown this once.' }),
})
