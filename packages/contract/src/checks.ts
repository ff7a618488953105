import type { EgressPolicy } from '@ariftly/egress'
import { checkWebhookUrl } from '@ariftly/egress/url-policy'
import { parseInstant } from '@ariftly/http'
import { checkSecret } from '@ariftly/signatures'
import { validateFilter } from '@ariftly/webhook-filter'
import type { TSchema } from '@sinclair/typebox'
import { checkHeaders } from './check-headers.ts'
import type { CheckFault } from './describe-errors.ts'

/** What checks need in addition to the value. */
export interface CheckContext {
  /** Where a webhook may point; needed for bodies with a `url`. */
  readonly policy?: EgressPolicy | undefined
}

type Check = (value: unknown, context: CheckContext) => CheckFault | readonly CheckFault[] | undefined

/**
 * Rules that JSON Schema cannot say, by the name that a schema gives as `x-check`. Each is asked only about values of the type that
 * its schema names; published documents do not show the keyword.
 */
const CHECKS = {
  url: (value, { policy }) => {
    if (policy === undefined) throw new TypeError('A body with a URL is read with an egress policy.')
    const verdict = checkWebhookUrl(String(value), policy)
    return verdict.ok ? undefined : { code: 'invalid_value', message: verdict.message }
  },
  secret: (value) => {
    const verdict = checkSecret(String(value))
    return verdict.ok ? undefined : { code: 'invalid_value', message: verdict.message }
  },
  headers: checkHeaders,
  filter: (value) => validateFilter(value).map(({ pointer, ...fault }) => ({ ...fault, path: pointer })),
  /** Text that Postgres can hold. */
  text: (value) =>
    /[\0\p{Surrogate}]/u.test(String(value))
      ? { code: 'invalid_value', message: 'must not contain \\u0000 or a lone surrogate' }
      : undefined,
  /** One line of visible text: control characters would spoil logs and terminals. */
  label: (value) =>
    /[\p{Cc}\p{Surrogate}]/u.test(String(value))
      ? { code: 'invalid_value', message: 'must not contain control characters' }
      : undefined,
  time: (value) =>
    parseInstant(String(value)) === undefined
      ? { code: 'invalid_value', message: 'must be an ISO 8601 date and time' }
      : undefined,
} satisfies Readonly<Record<string, Check>>

/** The name of a check. */
type CheckName = keyof typeof CHECKS

/** The keyword of a schema that names its check. */
export const CHECK_KEYWORD = 'x-check'

/** A schema whose values must also pass a check. */
export function checkedBy<S extends TSchema>(name: CheckName, schema: S): S {
  return { ...schema, [CHECK_KEYWORD]: name }
}

/** Runs the check of that name, and answers all that is wrong; nothing if the value passes. */
export function runCheck(name: string, value: unknown, context: CheckContext): readonly CheckFault[] {
  const check: Check | undefined = Object.hasOwn(CHECKS, name) ? CHECKS[name as CheckName] : undefined
  if (check === undefined) throw new RangeError(`There is no check ${name}.`)
  return value === null ? [] : [check(value, context) ?? []].flat()
}
