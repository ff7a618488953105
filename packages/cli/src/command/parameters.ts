import { CliError } from '../errors/cli-error.ts'
import type { OptionSpec } from './command.ts'
import type { Input } from './input.ts'

/**
 * The query, or the body, of the options that were given, each under its `parameter`; a dot in it leads into an object. The answer is as the options
 * say: the caller knows its type.
 */
export function readParameters(options: readonly OptionSpec[], input: Input): object {
  const result: Members = Object.create(null) as Members
  for (const { name, parameter } of options) {
    const value = parameter === undefined ? undefined : input.value(name)
    if (parameter === undefined || value === undefined) continue
    setMember(result, parameter.split('.'), typeof value === 'object' && 'json' in value ? value.json : value)
  }
  return { ...result }
}

/** The body of `--body`, with what other options say on top. Throws a CliError when it is no object. */
export function readBody(options: readonly OptionSpec[], input: Input): object {
  const given = input.json('body') ?? {}
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new CliError('invalid_option', '--body must be a JSON object.', { pointer: '--body' })
  }
  return { ...given, ...readParameters(options, input) }
}

/** The whole body as JSON, for members that no option has, and for null. */
export const BODY: OptionSpec = {
  name: 'body',
  shown: 'json',
  kind: 'json',
  summary: 'the body as JSON, @file, or - for standard input; other options replace its members',
}

/** Makes a repeated command harmless. */
export const IDEMPOTENCY_KEY: OptionSpec = {
  name: 'idempotency-key',
  shown: 'key',
  summary: 'the same key makes a repeat harmless for 24 hours',
}

interface Members {
  [name: string]: unknown
}

function setMember(members: Members, [name = '', ...path]: readonly string[], value: unknown): void {
  if (path.length === 0) members[name] = value
  else setMember((members[name] ??= {}) as Members, path, value)
}
