import { Problem, type ProblemError } from '@ariftly/http'
import type { Static, TSchema } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import { CHECK_KEYWORD, runCheck, type CheckContext } from './checks.ts'
import { describeErrors, type BodyError } from './describe-errors.ts'

/** How a body is read. */
export interface BodyReaderOptions<N extends 'absent' | 'kept'> {
  /** Whether a request without a body is read as `{}`. Default: false, it is 422 `missing_body`. */
  readonly optional?: boolean
  /**
   * What null of a top-level member means: `absent` takes it out first if the schema knows the member, `kept` gives null to the handler (PATCH, where null clears
   * one). Default `absent`.
   */
  readonly nulls?: N
}

/** A body as its reader gives it. */
export type BodyOf<S extends TSchema, N extends 'absent' | 'kept'> = N extends 'kept'
  ? Static<S>
  : { readonly [K in keyof Static<S>]: Exclude<Static<S>[K], null> }

/** Validates a parsed body. @throws Problem 422 `missing_body` or `invalid_body`, whose `errors` name at most ten members. */
export type BodyReader<T> = (body: unknown, context?: CheckContext) => T

/**
 * Makes the reader of a route's body by its published schema. The schema is compiled at the first use, once for the process.
 * Use: `const readNewWebhook = createBodyReader(newWebhookSchema)`, then in the handler `readNewWebhook(call.body, { policy })`.
 */
export function createBodyReader<S extends TSchema, N extends 'absent' | 'kept' = 'absent'>(
  schema: S,
  options: BodyReaderOptions<N> = {},
): BodyReader<BodyOf<S, N>> {
  const { optional = false, nulls = 'absent' } = options
  let validate: ValidateFunction | undefined

  return function readBody(body, context = {}) {
    if (body === undefined && !optional) throw missingBody()
    const whole = body === undefined ? {} : body
    const given = nulls === 'absent' ? withoutNulls(whole, schema) : whole
    validate ??= ajv.compile(schema)
    if (!validate.call(context, given)) throw invalidBody(describeErrors(validate.errors ?? []))
    return given as BodyOf<S, N>
  }
}

/** The 422 that names what is wrong with a body, for rules that a handler checks after its reader. */
export function invalidBody(errors: readonly BodyError[]): Problem {
  const names = errors.map(({ pointer }) => (pointer === '' ? 'the body' : pointer)).join(', ')
  return new Problem(422, 'invalid_body', {
    detail: `Cannot be taken: ${names}.`,
    errors: errors satisfies readonly ProblemError[],
  })
}

function missingBody(): Problem {
  return new Problem(422, 'missing_body', { detail: 'Send a JSON object as the body.' })
}

/** An object without its members that are null, except unknown members, which are refused later. Any other value is returned unchanged. */
function withoutNulls(body: unknown, schema: TSchema): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body
  const known = (schema['properties'] ?? {}) as object
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value !== null || !Object.hasOwn(known, name)),
  )
}

const ajv = new Ajv({
  allErrors: true,
  allowUnionTypes: true,
  passContext: true,
  // Errors have the schema of their object, which names its members.
  verbose: true,
  formats: { uri: true, 'date-time': true },
})
ajv.addKeyword({
  keyword: CHECK_KEYWORD,
  type: ['string', 'object'],
  schemaType: 'string',
  validate: validateCheck,
  errors: 'full',
})

interface ChecksValues {
  (this: CheckContext, name: string, value: unknown): boolean
  errors?: object[]
}

/** Ajv's form of a keyword: `this` is the context of the reader, errors are left on the function. */
function validateCheck(this: CheckContext, name: string, value: unknown): boolean {
  const faults = runCheck(name, value, this)
  ;(validateCheck as ChecksValues).errors = faults.map(({ message, ...params }) => {
    return { keyword: CHECK_KEYWORD, message, params }
  })
  return faults.length === 0
}
