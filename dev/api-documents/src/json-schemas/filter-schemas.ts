import { FILTER_ATTRIBUTES, FILTER_LIMITS } from '@ariftly/webhook-filter'
import { Type, type TSchema } from '@sinclair/typebox'

const BASE = '#/components/schemas/'
const CONDITION = Type.Unsafe({ $ref: `${BASE}FilterCondition` })
const FILTERS = Type.Array(Type.Unsafe({ $ref: `${BASE}WebhookFilter` }), { minItems: 1 })

/** Alternatives and no `type` of several: generators know a union by `anyOf` alone. */
const anyOf = (...schemas: readonly TSchema[]): TSchema => Type.Unsafe({ anyOf: schemas })
const scalars = [Type.String(), Type.Number(), Type.Boolean(), Type.Null()] as const
const comparable = anyOf(Type.String(), Type.Number())
const scalar = anyOf(...scalars)

const LIMITS_TEXT = `At most ${FILTER_LIMITS.bytesMax / 1024} KiB, ${FILTER_LIMITS.operatorsMax} operators and ${FILTER_LIMITS.depthMax} levels.`

/** Schemas of the document for a payload filter. They refer to each other, so they are components of the OpenAPI document alone. */
export const filterSchemas = {
  WebhookFilter: Type.Unsafe({
    type: 'object',
    description: `What an event must hold, besides its type. Keys are \`type\`, \`agent\`, \`task_id\`, \`session_id\` or a path \`data.a.b\`, each with a condition, and \`$and\` and \`$or\` with further filters; all keys must hold. ${LIMITS_TEXT}`,
    minProperties: 1,
    properties: {
      ...Object.fromEntries(FILTER_ATTRIBUTES.map((name) => [name, CONDITION])),
      $and: FILTERS,
      $or: FILTERS,
    },
    // Validators read the patterns, which are exact; generators that do not know them take what `additionalProperties` says.
    propertyNames: { pattern: `^(?:${FILTER_ATTRIBUTES.join('|')}|\\$and|\\$or|data(?:\\.[^.]+)+)$` },
    patternProperties: { '^data\\.': CONDITION },
    additionalProperties: anyOf(CONDITION, FILTERS),
  }),
  FilterCondition: Type.Unsafe({
    description: 'What a member must be. A bare value is short for `{"$eq": value}`.',
    anyOf: [...scalars, { $ref: `${BASE}FilterOperators` }],
  }),
  FilterOperators: Type.Unsafe({
    type: 'object',
    description: 'Operators on one member, joined by and.',
    minProperties: 1,
    additionalProperties: false,
    properties: {
      $eq: scalar,
      $in: Type.Array(scalar, { minItems: 1, maxItems: FILTER_LIMITS.valuesMax }),
      $gt: comparable,
      $gte: comparable,
      $lt: comparable,
      $lte: comparable,
      $exists: Type.Boolean(),
      $not: CONDITION,
    },
  }),
} as const
