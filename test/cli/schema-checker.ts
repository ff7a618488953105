import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { ROOT } from '../docs/markdown.ts'

const BASE = 'https://schemas.ariftly.io/v1/'

/** Checks values against a schema as commands name it, `api:Event` or `cli:Check`; gives what is wrong, undefined when nothing is. */
export function createSchemaChecker(): (schema: string, value: unknown) => string | undefined {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  for (const file of ['openapi.json', 'cli.json']) {
    const document = JSON.parse(readFileSync(join(ROOT, 'schemas', file), 'utf8')) as object
    ajv.addSchema(document, `${BASE}${file}`, undefined, false)
  }
  const validators = new Map<string, ValidateFunction>()
  return (schema, value) => {
    const [source, name] = schema.split(':')
    const pointer = source === 'api' ? `openapi.json#/components/schemas/${name}` : `cli.json#/$defs/${name}`
    const validate = validators.get(schema) ?? ajv.compile({ $ref: `${BASE}${pointer}` })
    validators.set(schema, validate)
    if (validate(value)) return undefined
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`).join('; ')
  }
}
