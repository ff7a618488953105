import type { OpenapiDocument, OpenapiOperation, OpenapiParameter, OpenapiResponse } from '@ariftly/api-documents'
import { findBreakingSchemaChanges } from './schema-changes.ts'

/** What a change of the OpenAPI document breaks for clients, as sentences; empty if nothing. */
export function findBreakingOpenapiChanges(before: OpenapiDocument, after: OpenapiDocument): readonly string[] {
  return Object.entries(before.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => {
      const now = after.paths[path]?.[method]
      const name = `${method.toUpperCase()} ${path}`
      if (now === undefined) return [`${name}: is gone`]
      return operationChanges(resolved(operation, before), resolved(now, after)).map((change) => `${name} ${change}`)
    }),
  )
}

function operationChanges(before: OpenapiOperation, after: OpenapiOperation): readonly string[] {
  return [
    ...parameterChanges(before.parameters ?? [], after.parameters ?? []),
    ...bodyChanges(before, after),
    ...answerChanges(before, after),
  ]
}

function parameterChanges(before: readonly OpenapiParameter[], after: readonly OpenapiParameter[]): readonly string[] {
  const known = new Map(before.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]))
  const now = new Map(after.map((parameter) => [`${parameter.in} ${parameter.name}`, parameter]))
  const kept = [...known].flatMap(([name, parameter]) => {
    const other = now.get(name)
    if (other === undefined) return [`parameter ${name}: is gone`]
    const stricter =
      other.required === true && parameter.required !== true ? [`parameter ${name}: must be sent now`] : []
    return [...stricter, ...findBreakingSchemaChanges(parameter.schema, other.schema, 'sent', `parameter ${name} `)]
  })
  const added = [...now].filter(([name, { required }]) => required === true && !known.has(name))
  return [...kept, ...added.map(([name]) => `parameter ${name}: must be sent now`)]
}

function bodyChanges(
  { requestBody: before }: OpenapiOperation,
  { requestBody: after }: OpenapiOperation,
): readonly string[] {
  if (before === undefined) return after?.required === true ? ['body: must be sent now'] : []
  if (after === undefined) return ['body: is not taken any more']
  const stricter = after.required && !before.required ? ['body: must be sent now'] : []
  const types = Object.entries(before.content).flatMap(([type, { schema }]) => {
    const now = after.content[type]
    return now === undefined
      ? [`body ${type}: is not taken any more`]
      : findBreakingSchemaChanges(schema, now.schema, 'sent', `body ${type} `)
  })
  return [...stricter, ...types]
}

function answerChanges(before: OpenapiOperation, after: OpenapiOperation): readonly string[] {
  const answers = after.responses as Readonly<Record<string, OpenapiResponse>>
  return Object.entries(before.responses as typeof answers).flatMap(([status, answer]) => {
    const now = answers[status]
    if (now === undefined) return [`answer ${status}: is gone`]
    return Object.entries(answer.content ?? {}).flatMap(([type, { schema }]) => {
      const content = now.content?.[type]
      return content === undefined
        ? [`answer ${status} ${type}: is gone`]
        : findBreakingSchemaChanges(schema, content.schema, 'read', `answer ${status} ${type} `)
    })
  })
}

/** With `$ref`s into the components replaced; a schema that refers to itself has its name there. */
function resolved<T>(value: T, document: OpenapiDocument, inside: readonly string[] = []): T {
  return JSON.parse(JSON.stringify(value), (_key, part: unknown) => {
    const ref = refOf(part)
    if (ref === undefined) return part
    const [kind, name = ''] = ref
    if (inside.includes(name)) return { title: name }
    const known = kind === 'responses' ? document.components.responses : document.components.schemas
    return resolved(known?.[name] ?? {}, document, [...inside, name])
  }) as T
}

/** Kind and name of the component that a reference points to. */
function refOf(part: unknown): readonly string[] | undefined {
  if (typeof part !== 'object' || part === null || !('$ref' in part) || typeof part.$ref !== 'string') return undefined
  return part.$ref.replace('#/components/', '').split('/')
}
