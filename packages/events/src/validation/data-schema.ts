import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { catalogue } from '../catalogue/catalogue.ts'
import type { DataObject } from '../json/data-object.ts'
import { EVENT_TYPES, type EventType } from '../event-type.ts'
import { pointerToken } from '../json/json-pointer.ts'
import type { JsonScanner } from '../json/json-scanner.ts'
import type { EntryError } from './validation.ts'

/** What a payload breaks of its type's schema; `pointer` is relative to the payload. */
export interface SchemaFault {
  readonly code: EntryError['code']
  readonly pointer: string
  readonly message: string
}

/** The schema of one type's payload, by member. */
interface DataSchema {
  readonly validate: ValidateFunction
  readonly members: readonly Member[]
}

interface Member {
  readonly name: string
  /** What it accepts without checking the value: anything, or any string. */
  readonly takesAny: 'value' | 'string' | undefined
}

let compiled: ReadonlyMap<EventType, DataSchema> | undefined

/**
 * Validates a scanned payload by the schema of its type; undefined if it is valid. Only members whose value the schema
 * constrains are parsed; all others cost nothing here. The parsed values are discarded: their rounded numbers never reach the
 * log. Schemas are compiled at the first call.
 */
export function checkDataSchema(type: EventType, scanner: JsonScanner, data: DataObject): SchemaFault | undefined {
  compiled ??= compileSchemas()
  const schema = compiled.get(type)
  if (!schema || schema.validate(parseKnown(schema, scanner, data))) return undefined
  const [error] = schema.validate.errors ?? []
  return error ? toFault(error) : undefined
}

function parseKnown({ members }: DataSchema, { bytes }: JsonScanner, data: DataObject): Record<string, unknown> {
  const value: Record<string, unknown> = {}
  for (const { name, takesAny } of members) {
    const index = data.find(name)
    if (index < 0) continue
    const start = data.valueStart(index)
    if (takesAny === 'value') value[name] = null
    else if (takesAny === 'string' && bytes[start] === QUOTE) value[name] = ''
    else value[name] = JSON.parse(bytes.toString('utf8', start, data.valueEnd(index)))
  }
  return value
}

const QUOTE = 0x22

function compileSchemas(): ReadonlyMap<EventType, DataSchema> {
  const ajv = new Ajv({ allErrors: false, allowUnionTypes: true })
  formats.default(ajv, ['date-time'])
  return new Map(
    EVENT_TYPES.map((type) => {
      const { schema } = catalogue[type]
      const properties = schema['properties'] as Readonly<Record<string, object>>
      const members = Object.entries(properties).map(([name, property]) => ({ name, takesAny: whatItTakes(property) }))
      return [type, { validate: ajv.compile(schema), members }]
    }),
  )
}

function whatItTakes(property: object): Member['takesAny'] {
  const keywords = Object.keys(property)
  if (keywords.length === 0) return 'value'
  return keywords.length === 1 && 'type' in property && property.type === 'string' ? 'string' : undefined
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
