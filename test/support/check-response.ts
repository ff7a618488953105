import { buildOpenapi, responseOf, type OpenapiDocument, type OpenapiOperation } from '@ariftly/api-documents'
import { matchRoute } from '@ariftly/http'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

/** An answer, as far as the OpenAPI document speaks of it. */
export interface AnswerToCheck {
  readonly method: string
  /** With or without query. */
  readonly path: string
  readonly status: number
  readonly contentType: string | null
  readonly body: string
}

/** Statuses that every route may have, which the document describes in general. */
const GENERAL: ReadonlySet<number> = new Set([404, 405, 431, 500])

/**
 * What an answer has that the OpenAPI document does not say: an undocumented status, content type or member, a missing member, a bad value.
 * Undefined if it is as documented.
 */
export function checkResponse(answer: AnswerToCheck): string | undefined {
  const { method, path, status, contentType, body } = answer
  const type = contentType?.split(';')[0] ?? ''
  const found = matchRoute(method, path.split('?')[0] ?? '')
  const name = `${method} ${path} answered ${status}`
  const documented =
    found !== undefined && 'route' in found ? answerOf(found.route.path, found.route.method, status) : undefined
  if (documented === undefined) {
    if (!GENERAL.has(status)) return `${name}, which the OpenAPI document does not have`
    return type === 'application/problem+json' ? faultsOf(PROBLEM, body, name) : `${name} as ${type}, not as a problem`
  }
  if (documented.types.length === 0)
    return body === '' ? undefined : `${name} with a body, which the OpenAPI document does not have`
  if (!documented.types.includes(type)) return `${name} as ${type}; documented is ${documented.types.join(', ')}`
  if (type !== 'application/json' && type !== 'application/problem+json') return undefined
  return faultsOf(`${documented.pointer}/content/${encodePointer(type)}/schema`, body, name)
}

const PROBLEM = '/components/schemas/Problem'

let known: { readonly document: OpenapiDocument; readonly ajv: Ajv2020 } | undefined
const validators = new Map<string, ValidateFunction>()

function openapi() {
  if (known !== undefined) return known
  const document = closed(buildOpenapi({ nowMs: Date.now() }))
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  formats.default(ajv)
  ajv.addSchema(document, 'openapi', undefined, false)
  known = { document, ajv }
  return known
}

function answerOf(path: string, method: string, status: number) {
  const operation: OpenapiOperation | undefined = openapi().document.paths[path]?.[method.toLowerCase()]
  const found = responseOf(openapi().document, operation, String(status))
  if (found === undefined) return undefined
  const { pointer = `/paths/${encodePointer(path)}/${method.toLowerCase()}/responses/${status}`, response } = found
  return { pointer, types: Object.keys(response.content ?? {}) }
}

function faultsOf(pointer: string, body: string, name: string): string | undefined {
  const validate = validators.get(pointer) ?? openapi().ajv.compile({ $ref: `openapi#${pointer}` })
  validators.set(pointer, validate)
  if (validate(JSON.parse(body))) return undefined
  const errors = (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  )
  return `${name} otherwise than the OpenAPI document says: ${errors.join('; ')}\n${body.slice(0, 2000)}`
}

/** Clients must ignore unknown members; we must not have members that are not in the document. */
function closed(document: OpenapiDocument): OpenapiDocument {
  return JSON.parse(JSON.stringify(document), (_key, part: unknown) => {
    const isOpen =
      typeof part === 'object' &&
      part !== null &&
      'properties' in part &&
      'type' in part &&
      !('additionalProperties' in part)
    return isOpen ? { ...part, additionalProperties: false } : part
  }) as OpenapiDocument
}

function encodePointer(part: string): string {
  return encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))
}
