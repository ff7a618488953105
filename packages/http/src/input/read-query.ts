import { FILTER_NAMES, type NamedFilter } from '@ariftly/events'
import { Problem, type ProblemError } from '../answers/problem.ts'
import { parseInstant, type Instant } from './instant.ts'

/** How one parameter is read. Made by {@link textParam} and its like. */
export interface Param<T> {
  /** The value of an absent parameter. */
  readonly absent: T
  parse(text: string): { readonly ok: true; readonly value: T } | { readonly ok: false; readonly message: string }
}

/** The parameters that a route takes, by name. */
export type QuerySpec = Readonly<Record<string, Param<unknown>>>

/** The values of the parameters. */
export type QueryOf<S extends QuerySpec> = { readonly [K in keyof S]: S[K] extends Param<infer T> ? T : never }

/** A query with more parameters is refused without checking each. */
const PARAMETERS_MAX = 32
/** Faults that an answer names at most, and characters of a caller's text that it repeats. */
const FAULTS_MAX = 10
const SHOWN_MAX = 200

/**
 * Reads a query (`req.url`; for a form `?` and its text) strictly: an unknown, empty, repeated or ill-formed parameter is a
 * {@link Problem} 400 that names it (and up to {@link FAULTS_MAX} others), so that a typo never means "everything". One pass
 * over the text; more than {@link PARAMETERS_MAX} parameters are refused unread.
 */
export function readQuery<S extends QuerySpec>(source: string | URLSearchParams, spec: S): QueryOf<S> {
  const errors: ProblemError[] = []
  const given = typeof source === 'string' ? parseRaw(queryOf(source), errors) : grouped([...source])
  const known = Object.keys(spec).join(', ') || 'none'
  for (const name of given.keys()) {
    if (Object.hasOwn(spec, name)) continue
    errors.push({
      parameter: shown(name),
      code: 'unknown_parameter',
      message: `is not a parameter here; there are: ${known}`,
    })
  }
  const values: Record<string, unknown> = {}
  for (const [name, param] of Object.entries(spec)) {
    const read = readParam(given.get(name) ?? [], param)
    if (read.ok) values[name] = read.value
    else errors.push({ parameter: name, ...read.error })
  }
  if (errors.length > 0) throw badQuery(errors)
  return values as QueryOf<S>
}

function shown(name: string): string {
  return name.length > SHOWN_MAX ? `${name.slice(0, SHOWN_MAX)}…` : name
}

type ReadParam =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: { readonly code: string; readonly message: string } }

function readParam(texts: readonly string[], param: Param<unknown>): ReadParam {
  const [text] = texts
  if (text === undefined) return { ok: true, value: param.absent }
  if (texts.length > 1) return refuse('repeated_parameter', 'is given more than once')
  if (text === '') return refuse('empty_parameter', 'is empty: leave it out or give it a value')
  const read = param.parse(text)
  return read.ok ? read : refuse('invalid_parameter', read.message)
}

function refuse(code: string, message: string): ReadParam {
  return { ok: false, error: { code, message } }
}

function badQuery(errors: readonly ProblemError[]): Problem {
  const named = errors.slice(0, FAULTS_MAX)
  const names = [...new Set(named.map(({ parameter }) => parameter))].join(', ')
  const more = errors.length > named.length ? `, and ${errors.length - named.length} more` : ''
  return new Problem(400, 'invalid_parameter', { detail: `Cannot read: ${names}${more}.`, errors: named })
}

function queryOf(url: string): string {
  const start = url.indexOf('?')
  return start === -1 ? '' : url.slice(start + 1)
}

/** Refuses names and values that are not percent-encoded UTF-8: URLSearchParams would silently change them. */
function parseRaw(query: string, errors: ProblemError[]): Map<string, string[]> {
  const pieces = query === '' ? [] : query.split('&', PARAMETERS_MAX + 1)
  if (pieces.length > PARAMETERS_MAX) {
    throw new Problem(400, 'too_many_parameters', { detail: `There are more than ${PARAMETERS_MAX} parameters.` })
  }
  const bad = new Set<string>()
  const params: [string, string][] = []
  for (const piece of pieces) {
    const [param] = new URLSearchParams(`&${piece}`) // A `?` in front would be left out.
    if (isDecodable(piece)) {
      if (param !== undefined) params.push(param)
      continue
    }
    const name = param?.[0] ?? ''
    if (!bad.has(name)) {
      errors.push({ parameter: shown(name), code: 'invalid_encoding', message: 'is not percent-encoded UTF-8' })
    }
    bad.add(name)
  }
  return grouped(params.filter(([name]) => !bad.has(name)))
}

function grouped(params: readonly (readonly [string, string])[]): Map<string, string[]> {
  const given = new Map<string, string[]>()
  for (const [name, value] of params) {
    const values = given.get(name)
    if (values === undefined) given.set(name, [value])
    else values.push(value)
  }
  return given
}

function isDecodable(piece: string): boolean {
  try {
    decodeURIComponent(piece)
    return true
  } catch {
    return false
  }
}

/** A text that a pattern allows; `shape` ends the sentence "must be …". */
export function textParam(options: { readonly pattern: RegExp; readonly shape: string }): Param<string | undefined> {
  return paramOf(undefined, (text) => (options.pattern.test(text) ? text : undefined), options.shape)
}

/** A `task_id`, `session_id` or `agent`. */
export function identifierParam(): Param<string | undefined> {
  return textParam({ pattern: /^[A-Za-z0-9_.:\-/]{1,128}$/, shape: '1 to 128 characters of A-Z a-z 0-9 _ . : - /' })
}

/** The attributes that a filter of events may name. */
export const filterParams = Object.fromEntries(
  Object.values(FILTER_NAMES).map((name) => [name, identifierParam()]),
) as { readonly [N in keyof NamedFilter]: Param<string | undefined> }

/** A whole number. */
function integerParam(options: {
  readonly min: number
  readonly max: number
  readonly default: number
}): Param<number> {
  const { min, max } = options
  const shape = `a whole number from ${min} to ${max}`
  return paramOf(
    options.default,
    (text) => {
      const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    },
    shape,
  )
}

/** `limit` of every list: 1 to 500, default 50. */
export function limitParam(max = 500): Param<number> {
  return integerParam({ min: 1, max, default: 50 })
}

/** One of a few words. */
export function choiceParam<const W extends string>(words: readonly W[], absent: W): Param<W>
export function choiceParam<const W extends string>(words: readonly W[]): Param<W | undefined>
export function choiceParam<const W extends string>(words: readonly W[], absent?: W): Param<W | undefined> {
  return paramOf(absent, (text) => words.find((word) => word === text), `one of ${words.join(', ')}`)
}

/** `true` or `false`. */
export function booleanParam(absent: boolean): Param<boolean> {
  return paramOf(absent, (text) => (text === 'true' ? true : text === 'false' ? false : undefined), 'true or false')
}

/** One word or a comma list of words, none twice. `shape` ends the sentence "must be …". */
export function listParam<T extends string>(options: {
  readonly is: (text: string) => text is T
  readonly shape: string
}): Param<readonly T[] | undefined> {
  return paramOf<readonly T[] | undefined>(
    undefined,
    (text) => {
      const words = text.split(',')
      return words.every(options.is) && new Set(words).size === words.length ? words : undefined
    },
    options.shape,
  )
}

/** An ISO 8601 date and time; see {@link parseInstant}. */
export function instantParam(): Param<Instant | undefined> {
  return paramOf(undefined, parseInstant, 'an ISO 8601 date and time, like 2026-11-25T08:45:37.123Z')
}

/** A cursor, to be decoded by the list's {@link CursorCodec}. */
export function cursorParam(): Param<string | undefined> {
  return paramOf(undefined, (text) => text, 'a cursor')
}

function paramOf<T>(absent: T, parse: (text: string) => T | undefined, shape: string): Param<T> {
  return {
    absent,
    parse(text) {
      const value = parse(text)
      return value === undefined ? { ok: false, message: `must be ${shape}` } : { ok: true, value }
    },
  }
}
