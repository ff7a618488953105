import { meant, nearestOf } from '@ariftly/events/nearest-of'
import type { ErrorObject } from 'ajv'
import { patternWords } from './shapes.ts'

/** One thing that is wrong with a body. */
export interface BodyError {
  /** RFC 6901; each name is cut at {@link NAME_CHARS_MAX} characters. */
  readonly pointer: string
  readonly code: 'required' | 'unknown_member' | 'invalid_type' | 'invalid_value' | 'out_of_range' | 'too_long'
  /** The end of the sentence "it …". */
  readonly message: string
}

/** What is wrong with a value; `path` leads from it to the place (`/name`). */
export type CheckFault = Pick<BodyError, 'code' | 'message'> & { readonly path?: string }

/** Errors of one body that are named at most. */
const ERRORS_MAX = 10
const NAME_CHARS_MAX = 64
const WORDS_CHARS_MAX = 300

/** A name as a part of a JSON pointer (RFC 6901), cut at {@link NAME_CHARS_MAX} characters. */
export function pointerToken(name: string): string {
  const cut = name.length > NAME_CHARS_MAX ? `${name.slice(0, NAME_CHARS_MAX)}…` : name
  return cut
    .replaceAll('~', '~0')
    .replaceAll('/', '~1')
    .replaceAll(/\p{Surrogate}/gu, '\ufffd')
}

/** Ajv's errors in our words: the first of each value, none of what is in a value that is named, at most {@link ERRORS_MAX}. */
export function describeErrors(errors: readonly ErrorObject[]): readonly BodyError[] {
  const found = new Map<string, BodyError>()
  for (const error of errors) {
    const described = describe(error)
    const { pointer } = described
    const isNamed = [...found.keys()].some((known) => pointer === known || pointer.startsWith(`${known}/`))
    if (!isNamed) found.set(pointer, described)
    if (found.size >= ERRORS_MAX) break
  }
  return [...found.values()]
}

function describe(error: ErrorObject): BodyError {
  const params = error.params as Readonly<Record<string, unknown>>
  const at = cutPointer(error.instancePath)
  const member = (name: string): string => `${at}/${pointerToken(String(params[name]))}`
  const limit = String(params['limit'])
  switch (error.keyword) {
    case 'required':
      return { pointer: member('missingProperty'), code: 'required', message: 'is required' }
    case 'additionalProperties':
      return {
        pointer: member('additionalProperty'),
        code: 'unknown_member',
        message: unknownWords(String(params['additionalProperty']), error.parentSchema),
      }
    case 'type':
      return { pointer: at, code: 'invalid_type', message: `must be ${typeWords(params['type'])}` }
    case 'enum':
      return { pointer: at, code: 'invalid_value', message: `must be ${enumWords(params['allowedValues'])}` }
    case 'minimum':
      return { pointer: at, code: 'out_of_range', message: `must be at least ${limit}` }
    case 'maximum':
      return { pointer: at, code: 'out_of_range', message: `must be at most ${limit}` }
    case 'minItems':
      return { pointer: at, code: 'out_of_range', message: leastWords(limit, 'entries') }
    case 'minProperties':
      return { pointer: at, code: 'out_of_range', message: leastWords(limit, 'members') }
    case 'maxItems':
      return { pointer: at, code: 'too_long', message: `may have at most ${limit} entries` }
    case 'maxProperties':
      return { pointer: at, code: 'too_long', message: `may have at most ${limit} members` }
    case 'minLength':
      return { pointer: at, code: 'invalid_value', message: `must have at least ${limit} characters` }
    case 'maxLength':
      return { pointer: at, code: 'too_long', message: `may have at most ${limit} characters` }
    case 'uniqueItems': {
      const later = Math.max(Number(params['i']), Number(params['j']))
      return { pointer: `${at}/${later}`, code: 'invalid_value', message: 'is a duplicate of an earlier entry' }
    }
    case 'pattern':
      return { pointer: at, code: 'invalid_value', message: `must ${patternWords(String(params['pattern']))}` }
    case 'x-check': {
      const { code, path = '' } = params as { readonly code: BodyError['code']; readonly path?: string }
      return { pointer: cutPointer(`${error.instancePath}${path}`), code, message: error.message ?? 'is not valid' }
    }
    default:
      return { pointer: at, code: 'invalid_value', message: error.message ?? 'is not valid' }
  }
}

/** More members are not listed. */
const LISTED_MAX = 8

/** `schema` is of the object that has the member. */
function unknownWords(name: string, schema: ErrorObject['parentSchema']): string {
  const known = Object.keys((schema as { readonly properties?: object } | undefined)?.properties ?? {})
  const list = known.length > 0 && known.length <= LISTED_MAX ? `, which are ${known.join(', ')}` : ''
  const nearest = name.length > NAME_CHARS_MAX ? undefined : nearestOf(name, known)
  return `is not a member that can be set here${list}${nearest === undefined ? '' : `.${meant(nearest)}`}`
}

/** Ajv has escaped the names already; a name that is cut inside an escape loses it. */
function cutPointer(path: string): string {
  if (path.length <= NAME_CHARS_MAX) return path
  return path
    .split('/')
    .map((token) => (token.length > NAME_CHARS_MAX ? `${token.slice(0, NAME_CHARS_MAX).replace(/~$/, '')}…` : token))
    .join('/')
}

function leastWords(limit: string, of: string): string {
  return limit === '1' ? 'must not be empty' : `must have at least ${limit} ${of}`
}

function typeWords(type: unknown): string {
  const types = (Array.isArray(type) ? (type as string[]) : [String(type)]).filter((name) => name !== 'null')
  const words = types.map((name) => TYPE_WORDS[name] ?? `a ${name}`)
  return words.join(' or ')
}

const TYPE_WORDS: Readonly<Record<string, string>> = {
  array: 'an array',
  boolean: 'true or false',
  integer: 'an integer',
  object: 'an object',
}

function enumWords(allowed: unknown): string {
  const words = (allowed as readonly unknown[]).filter((word) => word !== null).map(String)
  const text = words.join(', ')
  if (words.length === 1) return text
  return text.length > WORDS_CHARS_MAX ? 'one of the values of the documentation' : `one of ${text}`
}
