import { isEventType, type EventType } from '@ariftly/events'
import { listParam, Problem } from '@ariftly/http'

const typesParam = listParam({
  is: isEventType,
  shape: 'an event type, or several separated by commas, each once',
})

/** `type` of a list, and its other name. */
export const typeParams = { type: typesParam, types: typesParam }

/** The fault of a query with both names. */
export const BOTH_TYPES = 'is another name of type: give one of them'

/** The types that a list is asked for, by either name. @throws Problem 400 for both names. */
export function readTypes({
  type,
  types,
}: {
  readonly type?: readonly EventType[] | undefined
  readonly types?: readonly EventType[] | undefined
}): readonly EventType[] | undefined {
  if (type === undefined || types === undefined) return type ?? types
  throw new Problem(400, 'invalid_parameter', {
    detail: 'Cannot read: types.',
    errors: [{ parameter: 'types', code: 'invalid_parameter', message: BOTH_TYPES }],
  })
}
