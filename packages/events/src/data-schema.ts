import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { catalogue } from './catalogue/catalogue.ts'
import { EVENT_TYPES, type EventType } from './event-type.ts'
import { pointerToken } from './json-pointer.ts'
import type { EntryError } from './validation.ts'

/** What a payload breaks of its type's schema; `pointer` is relative to the payload. */
export interface SchemaFault {
  readonly code: EntryError['code']
  readonly pointer: string
  readonly message: string
}

let compiled: ReadonlyMap<EventType, ValidateFunction> | undefined

/**
 * Judges a parsed payload by the schema of its type; undefined if it passes. The value is a parse that is thrown away: its rounded numbers
 * never reach the log. Schemas are compiled at the first call.
 */
export function checkDataSchema(type: EventType, value: unknown): SchemaFault | undefined {
  compiled ??= compileSchemas()
  const validate = compiled.get(type)
  if (!validate || validate(value)) return undefined
  const [error] = validate.errors ?? []
  return error ? toFault(error) : undefined
}

function compileSchemas(): ReadonlyMap<EventType, ValidateFunction> {
  const ajv = new Ajv({ allErrors: false, allowUnionTypes: true })
  formats.default(ajv, ['date-time'])
  return new Map(EVENT_TYPES.map((type) => [type, ajv.compile(catalogue[type].schema)]))
}

const CODES: Readonly<Record<string, SchemaFault['code']>> = {
  required: 'required',
  type: 'invalid_type',
  enum: 'invalid_value',
  minimum: 'out_of_range',
  maximum: 'out_of_range',
  format: 'invalid_value',
}

function toFault(error: ErrorObject): SchemaFault {
  const params = error.params as Readonly<Record<string, unknown>>
  const code = CODES[error.keyword] ?? 'invalid_value'
  if (error.keyword === 'required') {
    return {
      code,
      pointer: `${error.instancePath}/${pointerToken(String(params['missingProperty']))}`,
      message: 'is required',
    }
  }
  if (error.keyword === 'enum') {
    return {
      code,
      pointer: error.instancePath,
      message: `must be one of ${(params['allowedValues'] as string[]).join(', ')}`,
    }
  }
  if (error.keyword === 'format')
    return { code, pointer: error.instancePath, message: 'must be an ISO 8601 date and time with an offset' }
  return { code, pointer: error.instancePath, message: error.message ?? 'is not valid' }
}
