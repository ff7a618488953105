import { EVENT_TYPES } from '@ariftly/events'
import { Type, type TSchema } from '@sinclair/typebox'
import { cursorSchema, eventTypeSchema, identifierSchema, limitSchema } from '@ariftly/contract'
import type { QueryParameter } from './operation.ts'

/** `task_id`, `session_id` and `agent` of a filter. */
export const NAME_FILTERS: readonly QueryParameter[] = [
  {
    name: 'task_id',
    description: 'Only events of this task.',
    schema: identifierSchema,
    example: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5',
  },
  { name: 'agent', description: 'Only events from this agent.', schema: identifierSchema, example: 'analyzer' },
  { name: 'session_id', description: 'Only events of this session.', schema: identifierSchema },
]

/** `limit` and `cursor` of every list but those with a smaller page. */
export const PAGE = pageOf(500)

/** `limit`, at most `limitMax`, and `cursor`. */
export function pageOf(limitMax: number): readonly QueryParameter[] {
  const schema = { ...limitSchema, maximum: limitMax }
  return [
    { name: 'limit', description: 'Largest number of entries of the page.', schema, example: 50 },
    {
      name: 'cursor',
      description: 'The `next_cursor` of the previous page, with all other parameters unchanged.',
      schema: cursorSchema,
    },
  ]
}

/** A comma list of event types, each once. */
export function typesFilter(name: 'type' | 'types', description: string): QueryParameter {
  return {
    name,
    description,
    schema: Type.Array(eventTypeSchema, { minItems: 1, uniqueItems: true }),
    example: EVENT_TYPES.slice(1, 3),
    commaList: true,
  }
}

/** `type` of a list and its other name. */
export function typesFilters(description: string): readonly QueryParameter[] {
  return [typesFilter('type', description), typesFilter('types', 'Another name of `type`: give one of them.')]
}

/** A bound in time. */
export function instant(name: string, description: string, example?: string): QueryParameter {
  const schema: TSchema = Type.String({
    format: 'date-time',
    description: 'ISO 8601 date and time with any offset; none means UTC.',
  })
  return example === undefined ? { name, description, schema } : { name, description, schema, example }
}
