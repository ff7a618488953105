import { buildOpenapi } from '@ariftly/api-documents'
import { ROUTES, type RouteName } from '@ariftly/http'

/** What the OpenAPI document says that a route takes. */
export interface DocumentedOperation {
  readonly name: RouteName
  readonly method: string
  /** With `{name}` for a segment. */
  readonly path: string
  readonly queryNames: readonly string[]
  readonly contentType: string | undefined
  /** Bodies that are good; none for a route without a body. */
  readonly examples: readonly Readonly<Record<string, unknown>>[]
}

interface Operation {
  readonly operationId: RouteName
  readonly parameters?: readonly { readonly in: string; readonly name: string }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly examples?: Examples }>> }
}

type Examples = Readonly<Record<string, { readonly value: Readonly<Record<string, unknown>> }>>

/** All routes of the route table, so that a new one and a new parameter are tried without a change here. */
export function documentedOperations(): readonly DocumentedOperation[] {
  const document = buildOpenapi({ routes: ROUTES, serverUrl: '/', nowMs: Date.now() })
  const paths = document['paths'] as Readonly<Record<string, Readonly<Record<string, Operation>>>>
  const operations = Object.values(paths).flatMap((methods) => Object.values(methods))
  return ROUTES.map(({ name, method, path }) => {
    const operation = operations.find(({ operationId }) => operationId === name)
    if (operation === undefined) throw new Error(`The document does not have ${name}.`)
    const [contentType, content] = Object.entries(operation.requestBody?.content ?? {})[0] ?? []
    return {
      name,
      method,
      path,
      queryNames: (operation.parameters ?? []).filter((each) => each.in === 'query').map((each) => each.name),
      contentType,
      examples: Object.values(content?.examples ?? {}).map(({ value }) => value),
    }
  })
}
