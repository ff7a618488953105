import type { OpenapiDocument } from '@ariftly/api-documents'

/** A JSON Schema as the OpenAPI document holds it. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly 'x-extensible-enum'?: readonly unknown[]
  readonly oneOf?: readonly Schema[]
  readonly anyOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: boolean | Schema
  readonly description?: string
}

interface Parameter {
  readonly name: string
  readonly in: string
  readonly required?: boolean
  readonly description?: string
  readonly schema?: Schema
}

/** An operation as the OpenAPI document holds it. */
export interface Operation {
  readonly operationId: string
  readonly parameters?: readonly Parameter[]
}

const HEADER = `// Generated from the OpenAPI document by \`npm run generate\`: do not edit.
/* oxlint-disable max-lines */
`

/**
 * Renders the types of the SDK: one exported type a schema of the document, `EventDataByType`, and one `…Query` an operation that takes query
 * parameters. Strings whose values may grow (\`x-extensible-enum\`) are closed unions: a \`switch\` needs a \`default\`.
 */
export function renderSdkTypes(document: OpenapiDocument): string {
  const whole = document as unknown as {
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }
  const schemas = Object.entries(whole.components.schemas)
  const types = schemas.map(([name, schema]) => renderNamed(typeName(name), schema))
  const data = schemas.flatMap(([name]) => (name.startsWith('data.') ? [name.slice('data.'.length)] : []))
  const map = data.map((type) => `  readonly '${type}': ${typeName(`data.${type}`)}\n`).join('')
  const operations = Object.values(whole.paths).flatMap((methods) => Object.values(methods))
  const queries = operations.flatMap((operation) => renderQuery(operation))
  const byType = `/** The payload of each event type. */\nexport interface EventDataByType {\n${map}}\n`
  return [HEADER, ...types, byType, ...queries].join('\n')
}

function renderNamed(name: string, schema: Schema): string {
  const comment = docComment(schema.description ?? `\`${name}\` as the API documents it.`, '')
  const isObject = schema.properties !== undefined && schema.type === 'object'
  const body = render(schema, '')
  return isObject ? `${comment}export interface ${name} ${body}\n` : `${comment}export type ${name} = ${body}\n`
}

function renderQuery({ operationId, parameters = [] }: Operation): string[] {
  const members = parameters.filter((parameter) => parameter.in === 'query')
  if (members.length === 0) return []
  const name = `${operationId[0]?.toUpperCase()}${operationId.slice(1)}Query`
  const lines = members.map(
    ({ name: member, required, description, schema = {} }) =>
      `${docComment(description ?? '', '  ')}  readonly ${member}${required === true ? '' : '?'}: ${render(schema, '  ')}\n`,
  )
  return [`/** Query parameters of \`${operationId}\`. */\nexport interface ${name} {\n${lines.join('')}}\n`]
}

function render(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return typeName(schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1))
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const known = schema['x-extensible-enum']
  if (known !== undefined) {
    const words = schema.type === 'string' ? known : [...known, null]
    return words.map((value) => JSON.stringify(value)).join(' | ')
  }
  const choices = schema.oneOf ?? schema.anyOf
  if (choices !== undefined) return choices.map((choice) => render(choice, indent)).join(' | ')
  if (schema.allOf !== undefined) return schema.allOf.map((part) => render(part, indent)).join(' & ')
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  return types.length === 0 ? 'unknown' : types.map((type) => renderType(type, schema, indent)).join(' | ')
}

function renderType(type: string, schema: Schema, indent: string): string {
  if (type === 'integer') return 'number'
  if (type === 'array') return `readonly ${inArray(render(schema.items ?? {}, indent))}[]`
  return type === 'object' ? renderObject(schema, indent) : type
}

function inArray(item: string): string {
  return /[ |&]/.test(item) ? `(${item})` : item
}

function renderObject({ properties, required = [], additionalProperties }: Schema, indent: string): string {
  const rest = typeof additionalProperties === 'object' ? render(additionalProperties, indent) : 'unknown'
  if (properties === undefined) return `Readonly<Record<string, ${rest}>>`
  const members = Object.entries(properties).map(([name, schema]) => {
    const key = /^[a-z_$][\w$]*$/i.test(name) ? name : JSON.stringify(name)
    const comment = docComment(schema.description ?? '', `${indent}  `)
    const mark = required.includes(name) ? '' : '?'
    return `${comment}${indent}  readonly ${key}${mark}: ${render(schema, `${indent}  `)}\n`
  })
  // An index signature covers the named members too, and those may be absent.
  const others =
    typeof additionalProperties === 'object' ? [`${indent}  readonly [name: string]: ${rest} | undefined\n`] : []
  return `{\n${[...members, ...others].join('')}${indent}}`
}

function docComment(text: string, indent: string): string {
  return text === '' ? '' : `${indent}/** ${text.replaceAll('*/', '* /').replaceAll(/\s*\n\s*/g, ' ')} */\n`
}

/** `data.task.created` is `DataTaskCreated`. `Event` is a global type of browsers, which an import would hide. */
function typeName(name: string): string {
  return name === 'Event'
    ? 'ApiEvent'
    : name.replaceAll(/(?:^|[._])([a-z])/gi, (_, letter: string) => letter.toUpperCase())
}
