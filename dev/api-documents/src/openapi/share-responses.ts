import type { OpenapiDocument, OpenapiOperation, OpenapiResponse } from './document.ts'

type Paths = Readonly<Record<string, Readonly<Record<string, OpenapiOperation>>>>

const PREFIX = '#/components/responses/'

/**
 * Moves answers that several operations have in common to `components.responses`. A name is the status and the codes:
 * `404.not_found`.
 */
export function shareResponses(paths: Paths): {
  readonly paths: Paths
  readonly responses: Readonly<Record<string, OpenapiResponse>>
} {
  const counts = new Map<string, number>()
  for (const response of responsesOf(paths)) counts.set(response, (counts.get(response) ?? 0) + 1)
  const responses: Record<string, OpenapiResponse> = {}
  const shared = mapValues(paths, (methods) =>
    mapValues(methods, (operation) => ({
      ...operation,
      responses: mapValues(operation.responses, (response, status) => {
        const text = JSON.stringify(response)
        if ((counts.get(text) ?? 0) < 2 || !text.includes('application/problem+json')) return response
        const name = nameOf(status, response as OpenapiResponse)
        responses[name] ??= response as OpenapiResponse
        return JSON.stringify(responses[name]) === text ? { $ref: PREFIX + name } : response
      }),
    })),
  )
  return { paths: shared, responses: sortedByName(responses) }
}

/** The answer of an operation for a status, taken from `components.responses` where it is a reference. */
export function responseOf(
  document: OpenapiDocument,
  operation: OpenapiOperation | undefined,
  status: string,
): { readonly pointer?: string; readonly response: OpenapiResponse } | undefined {
  const response = operation?.responses[status]
  if (response === undefined || !('$ref' in response)) return response === undefined ? undefined : { response }
  const found = document.components.responses?.[response.$ref.slice(PREFIX.length)]
  return found === undefined ? undefined : { pointer: response.$ref.slice(1), response: found }
}

function responsesOf(paths: Paths): readonly string[] {
  return Object.values(paths).flatMap((methods) =>
    Object.values(methods).flatMap(({ responses }) => Object.values(responses).map((each) => JSON.stringify(each))),
  )
}

function nameOf(status: string, { description }: OpenapiResponse): string {
  const codes = [...(description.split('Codes:')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, code]) => code)
  return [status, ...codes].join('.')
}

function sortedByName<T>(record: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(record).toSorted(([one], [other]) => (one < other ? -1 : 1)))
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, map: (value: T, key: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, map(value, key)]))
}
