import { CliError } from '../errors/cli-error.ts'
import type { ValueSpec } from './command.ts'
import type { InputValue } from './input.ts'

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads the text of an option or an argument, which `pointer` names; files were read before, by `readSource`. Throws a CliError `invalid_option` or `invalid_json`. */
export function parseValue(text: string, spec: ValueSpec, pointer: string, nowMs: number): InputValue {
  const refuse = (expected: string) =>
    new CliError('invalid_option', `${pointer} must be ${expected}: ${text.slice(0, 100)}`, { pointer })
  switch (spec.kind ?? 'text') {
    case 'text':
      return checkChoice(text, spec, refuse)
    case 'source':
      return text
    case 'list':
      return text.split(',').map((word) => checkChoice(word.trim(), spec, refuse))
    case 'boolean':
      if (text !== 'true' && text !== 'false') throw refuse('true or false')
      return text === 'true'
    case 'integer':
    case 'number': {
      const value = text.trim() === '' ? Number.NaN : Number(text)
      const isKind = spec.kind === 'integer' ? Number.isSafeInteger(value) : Number.isFinite(value)
      if (!isKind) throw refuse(spec.kind === 'integer' ? 'a whole number' : 'a number')
      return checkBounds(value, spec, refuse)
    }
    case 'duration': {
      const ms = parseDuration(text)
      if (ms === undefined) throw refuse('a time such as 90s, 10m, 1h30m or 7d')
      return checkBounds(ms, spec, refuse)
    }
    case 'time':
      return (
        parseTime(text, nowMs) ?? raise(refuse('a time ago, such as 10m or 1d, or a time such as 2026-11-28T10:00:00Z'))
      )
    case 'secret':
      return text.trim()
    case 'json':
      return { json: parseJson(text, pointer) }
  }
}

/** Milliseconds of `1h30m`; undefined when it is no duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) return undefined
  const parts = text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)
  return [...parts].reduce((sum, [, count, unit]) => sum + Number(count) * (UNITS_MS[unit ?? ''] ?? 0), 0)
}

function parseTime(text: string, nowMs: number): string | undefined {
  const agoMs = parseDuration(text)
  if (agoMs !== undefined) return new Date(nowMs - agoMs).toISOString()
  // RFC 3339, as the API takes it; a day alone is its beginning in UTC.
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return Number.isNaN(Date.parse(text)) ? undefined : `${text}T00:00:00.000Z`
  if (!/^\d{4}-\d\d-\d\d[tT ]\d\d:\d\d:\d\d(\.\d+)?([zZ]|[+-]\d\d:\d\d)$/.test(text)) return undefined
  return Number.isNaN(Date.parse(text)) ? undefined : text
}

function parseJson(text: string, pointer: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CliError('invalid_json', `${pointer} is no JSON: ${(error as Error).message}`, { pointer })
  }
}

type Refuse = (expected: string) => CliError

function checkChoice(text: string, { choices, idPrefix }: ValueSpec, refuse: Refuse): string {
  // Neither is an id, and in a path of the API they mean another path.
  if (/^\.{0,2}$/.test(text)) throw refuse('a text')
  if (idPrefix !== undefined && !isId(text, idPrefix)) throw refuse(`an id: ${idPrefix} and 26 characters`)
  if (choices !== undefined && !choices.includes(text)) throw refuse(`one of ${choices.join(', ')}`)
  return text
}

/** Whether it is a TypeID (0.3) of a UUIDv7, as all ids are that the API makes. An event with another one never comes. */
function isId(text: string, prefix: string): boolean {
  return text.startsWith(prefix) && ID_SUFFIX.test(text.slice(prefix.length))
}

/** 48 bits of time, the version and variant of the UUID, and random bits, five to a character. */
const ID_SUFFIX = /^[0-7][0-9a-hjkmnp-tv-z]{9}[ef][0-9a-hjkmnp-tv-z]{2}[89abrstv][0-9a-hjkmnp-tv-z]{12}$/

function checkBounds(value: number, { min, max }: ValueSpec, refuse: Refuse): number {
  if (min !== undefined && value < min) throw refuse(`at least ${min}`)
  if (max !== undefined && value > max) throw refuse(`at most ${max}`)
  return value
}

function raise(error: Error): never {
  throw error
}
