import { Problem, type ProblemError } from '@ariftly/http'
import { escapePointer, refuse, type Judged } from './webhooks/member-rules.ts'

/** How one member of a body is judged; rules that need more than the value get `context`. */
export interface MemberRule<C> {
  readonly judge: (value: unknown, context: C) => Judged<unknown>
  /** Whether null clears it; else null is refused. Where null means absent, it is taken out before. */
  readonly nullable: boolean
}

/** The body as an object, or a `Problem`: 400 for an empty one (unless that is `{}` here), 422 for what is no object. */
export function objectOf(body: unknown, o: { readonly optional?: boolean } = {}): Readonly<Record<string, unknown>> {
  if (body === undefined && o.optional === true) return {}
  if (body === undefined) throw new Problem(400, 'malformed_json', { detail: 'The body is empty.' })
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>
  throw invalidBody([{ pointer: '', code: 'invalid_type', message: 'must be an object' }])
}

/** An object without the members that are null. */
export function withoutNulls(given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
}

/** Judges every member that is given; what `rules` does not know is `unknown`. */
export function judgeMembers<C>(
  given: Readonly<Record<string, unknown>>,
  rules: Readonly<Record<string, MemberRule<C>>>,
  context: C,
  unknown: (name: string) => Judged<never> = unknownMember,
): ProblemError[] {
  const errors: ProblemError[] = []
  for (const [name, value] of Object.entries(given)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    const judged = rule === undefined ? unknown(name) : judgeMember(rule, value, context)
    if (judged.ok) continue
    const { code, message, path = '' } = judged
    errors.push({ pointer: `/${escapePointer(name)}${path}`, code, message })
  }
  return errors
}

function judgeMember<C>(rule: MemberRule<C>, value: unknown, context: C): Judged<unknown> {
  if (value !== null) return rule.judge(value, context)
  return rule.nullable ? { ok: true, value } : refuse('invalid_type', 'cannot be null')
}

/** The refusal of a member that the route does not take. */
export function unknownMember(_name: string): Judged<never> {
  return refuse('unknown_member', 'is not a member that can be set here')
}

/** A `Problem` 422 that names everything that is wrong. */
export function invalidBody(errors: readonly ProblemError[]): Problem {
  const names = errors.map(({ pointer }) => (pointer === '' ? 'the body' : pointer)).join(', ')
  return new Problem(422, 'invalid_body', { detail: `Cannot be taken: ${names}.`, errors })
}
