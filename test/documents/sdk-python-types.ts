import type { OpenapiDocument } from '@ariftly/api-documents'
import type { Operation, Schema } from './sdk-types.ts'

/** One class or alias, and the named types that an alias needs before it. */
interface Rendered {
  readonly name: string
  readonly text: string
  readonly needs: readonly string[]
}

const HEADER = `"""The API's objects as typed dictionaries. An event is a union by \`type\`: comparing it narrows \`data\`.

Generated from the OpenAPI document by \`npm run generate\`: do not edit.
"""

# ruff: noqa: E501, UP006, UP007, UP035
# fmt: off
import sys
from typing import Any, Dict, List, Literal, Union

if sys.version_info >= (3, 13):
    from typing import NotRequired, TypedDict
else:
    # httpx2 depends on it there.
    from typing_extensions import NotRequired, TypedDict

`

/** Members that a class cannot have, so that its dictionary is typed by a call. */
const KEYWORDS = new Set(['from', 'import', 'class', 'def', 'is', 'in', 'not', 'and', 'or', 'global', 'None', 'pass'])
const PRIMITIVES: Readonly<Record<string, string>> = {
  string: 'str',
  integer: 'int',
  number: 'float',
  boolean: 'bool',
  null: 'None',
}

/**
 * Renders the types of the Python SDK: a TypedDict for each object of the document, also for those within others, and one `…Query` for an operation
 * that takes query parameters. Strings whose values may grow (\`x-extensible-enum\`) are \`str\`. A new event may also be of a type of one's own.
 */
export function renderPythonTypes(document: OpenapiDocument): string {
  const whole = document as unknown as {
    readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
    readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  }
  const schemas = Object.entries(whole.components.schemas)
  const named = schemas.flatMap(([name, schema]) => renderNamed(typeName(name), schema))
  const operations = Object.values(whole.paths).flatMap((methods) => Object.values(methods))
  const queries = operations.flatMap((operation) => renderQuery(operation))
  const all = [...named.filter(({ name }) => name !== OWN_EVENT.name), OWN_EVENT, ...queries]
  const names = all.map(({ name }) => `    "${name}",\n`).toSorted()
  return `${HEADER}\n${inOrder(all).join('\n\n')}\n\n__all__ = [\n${names.join('')}]\n`
}

/** A new event of a type of one's own, \`x.…\`, or of a type that is added later. */
const OWN_EVENT: Rendered = {
  name: 'NewEventOther',
  needs: [],
  text: `class NewEventOther(TypedDict):
    """An event of a type of your own, \`x.…\`, or with members of \`data\` that the catalogue does not name."""

    type: str
    id: NotRequired[str]
    created_at: NotRequired[str]
    task_id: NotRequired["str | None"]
    session_id: NotRequired["str | None"]
    agent: NotRequired["str | None"]
    data: "Dict[str, Any]"
`,
}

/** Classes first; an alias after the names that it needs. */
function inOrder(all: readonly Rendered[]): string[] {
  const written = new Set<string>()
  const texts: string[] = []
  let left = all
  while (left.length > 0) {
    const ready = left.filter(({ needs }) => needs.every((name) => written.has(name)))
    if (ready.length === 0) throw new Error(`These aliases need each other: ${left.map(({ name }) => name).join(', ')}`)
    for (const { name, text } of ready) {
      written.add(name)
      texts.push(text)
    }
    left = left.filter(({ name }) => !written.has(name))
  }
  return texts
}

function renderNamed(name: string, schema: Schema): Rendered[] {
  const inner: Rendered[] = []
  const { object, type: ofEvent } = schema.properties ?? {}
  const isOfAnyType = object?.const === 'event' && ofEvent !== undefined && ofEvent.const === undefined
  const typed = isOfAnyType ? { ...schema, properties: { ...schema.properties, type: LATER_TYPE } } : schema
  if (isRecord(typed)) return [renderClass(name, typed, inner), ...inner]
  const refs = new Set<string>()
  const known = name === 'NewEvent' ? { anyOf: [...choicesOf(schema), OWN_REF] } : schema
  const type = render(known, { name, inner, refs })
  const comment = schema.description === undefined ? '' : comments(schema.description, '#: ')
  return [...inner, { name, needs: [...refs], text: `${comment}${name} = ${type}\n` }]
}

/** With any string here, comparing the type of an event would not narrow it: mypy narrows unions whose members all have a literal. */
const LATER_TYPE: Schema = {
  const: 'a type that this version of the SDK does not know',
  description: 'At run time any other string; `is_own_event` of `ariftly` finds one of your own.',
}

const OWN_REF: Schema = { $ref: '#/components/schemas/NewEvent.other' }

function choicesOf({ oneOf, anyOf }: Schema): readonly Schema[] {
  return oneOf ?? anyOf ?? []
}

/** Whether it is an object whose members are all named. */
function isRecord({ type, properties, additionalProperties }: Schema): boolean {
  return type === 'object' && properties !== undefined && typeof additionalProperties !== 'object'
}

function renderClass(
  name: string,
  { properties = {}, required = [], description }: Schema,
  inner: Rendered[],
): Rendered {
  const members = Object.entries(properties).map(([member, schema]) => ({
    member,
    comment: schema.description ?? '',
    type: memberType(schema, required.includes(member), { name: `${name}${typeName(member)}`, inner, refs: new Set() }),
  }))
  const says = docString(description ?? `\`${name}\` as the API documents it.`)
  if (members.every(({ member }) => /^[a-z_]\w*$/i.test(member) && !KEYWORDS.has(member))) {
    const lines = members.map(({ member, comment, type }) => `${comments(comment, '    #: ')}    ${member}: ${type}\n`)
    return { name, needs: [], text: `class ${name}(TypedDict):\n    ${says}\n\n${lines.join('') || '    pass\n'}` }
  }
  const lines = members.map(
    ({ member, comment, type }) => `${comments(comment, '        # ')}        "${member}": ${type},\n`,
  )
  const about = comments(description ?? '', '#: ')
  return { name, needs: [], text: `${about}${name} = TypedDict(\n    "${name}",\n    {\n${lines.join('')}    },\n)\n` }
}

function renderQuery({ operationId, parameters = [] }: Operation): Rendered[] {
  const members = parameters.filter((parameter) => parameter.in === 'query')
  if (members.length === 0) return []
  const name = `${operationId[0]?.toUpperCase()}${operationId.slice(1)}Query`
  const described = members.map(({ name: member, description, schema = {} }) => [
    member,
    { ...schema, ...(description === undefined ? {} : { description }) },
  ])
  const schema: Schema = {
    description: `Query parameters of \`${operationId}\`.`,
    properties: Object.fromEntries(described) as Record<string, Schema>,
    required: members.flatMap(({ name: member, required }) => (required === true ? [member] : [])),
  }
  const inner: Rendered[] = []
  return [renderClass(name, schema, inner), ...inner]
}

/** Where a type is rendered: `name` is that of an object in it, `refs` are the names that it holds. */
interface Place {
  readonly name: string
  readonly inner: Rendered[]
  readonly refs: Set<string>
}

function memberType(schema: Schema, isRequired: boolean, place: Place): string {
  const plain = render(schema, place)
  // Names that come later in the file would be unknown when the class is made.
  const type = /^(?:str|int|float|bool|Any)$/.test(plain) ? plain : `"${plain.replaceAll('"', "'")}"`
  return isRequired ? type : `NotRequired[${type}]`
}

function render(schema: Schema, place: Place): string {
  if (schema.$ref !== undefined) {
    const name = typeName(schema.$ref.slice(schema.$ref.lastIndexOf('/') + 1))
    place.refs.add(name)
    return name
  }
  if (schema.const !== undefined) return `Literal[${literal(schema.const)}]`
  if (schema.enum !== undefined) return `Literal[${schema.enum.map(literal).join(', ')}]`
  const choices = choicesOf(schema)
  if (choices.length > 0) return union(choices.map((choice) => render(choice, place)))
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? [])
  return types.length === 0 ? 'Any' : union(types.map((type) => renderType(type, schema, place)))
}

function renderType(type: string, schema: Schema, place: Place): string {
  if (type === 'array') return `List[${render(schema.items ?? {}, place)}]`
  if (type !== 'object') return PRIMITIVES[type] ?? 'Any'
  const { properties, additionalProperties } = schema
  if (isRecord({ ...schema, type: 'object' })) {
    place.inner.push(renderClass(place.name, schema, place.inner))
    return place.name
  }
  const values = properties === undefined && typeof additionalProperties === 'object' ? additionalProperties : {}
  return `Dict[str, ${render(values, place)}]`
}

function union(types: readonly string[]): string {
  const unique = [...new Set(types)]
  return unique.length === 1 ? (unique[0] ?? 'Any') : `Union[${unique.join(', ')}]`
}

function literal(value: unknown): string {
  return typeof value === 'boolean' ? (value ? 'True' : 'False') : value === null ? 'None' : JSON.stringify(value)
}

function docString(text: string): string {
  return `"""${text
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll('\\', '\\\\')
    .replaceAll('"""', "'''")}"""`
}

function comments(text: string, start: string): string {
  return text === '' ? '' : `${start}${text.replaceAll(/\s*\n\s*/g, ' ')}\n`
}

/** `data.task.created` is `DataTaskCreated`. */
function typeName(name: string): string {
  return name.replaceAll(/(?:^|[._$])([a-z])/gi, (_, letter: string) => letter.toUpperCase())
}
