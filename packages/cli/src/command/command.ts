import type { Context } from './context.ts'
import type { ExitCode } from '../errors/exit-code.ts'
import type { Input } from './input.ts'

/**
 * How the text of an option or an argument is read. `duration` (`90s`, `10m`, `1h30m`) becomes milliseconds; `time` (a duration ago, or ISO 8601)
 * an ISO 8601 string; `json` (JSON text, `@file`, or `-` for standard input) its value, `source` (the same) its text unchanged; `list` words separated by commas; `secret` (path of a file, or
 * `-`) the text in it, so that it is in no history of a shell.
 */
type ValueKind = 'text' | 'integer' | 'number' | 'boolean' | 'duration' | 'time' | 'json' | 'source' | 'list' | 'secret'

/** Kinds of values. */
export interface ValueSpec {
  /** Default `text`. */
  readonly kind?: ValueKind
  /** The only words that are taken; of a list, each of them. */
  readonly choices?: readonly string[]
  /** It is an id of the API that begins so: `evt_`. */
  readonly idPrefix?: string
  /** Bounds of a number, inclusive; of a duration, in milliseconds. */
  readonly min?: number
  readonly max?: number
}

/** A positional argument. All but the last are required. */
export interface ArgumentSpec extends ValueSpec {
  readonly name: string
  readonly summary: string
  readonly optional?: boolean
  /** Takes all that follow. */
  readonly many?: boolean
}

/** An option. Without `shown` it is a flag. */
export interface OptionSpec extends ValueSpec {
  /** In kebab-case, without dashes. */
  readonly name: string
  /** One letter. */
  readonly short?: string
  /** How help shows its value: `time`, `id`, `n`. */
  readonly shown?: string
  readonly summary: string
  /** May be given more than once. */
  readonly many?: boolean
  readonly required?: boolean
  /** The parameter, or the member of the body, of the API that it sets. */
  readonly parameter?: string
}

/** A command, as plain data: help, completion and the tests read it. */
export interface Command {
  readonly name: string
  /** One line. */
  readonly summary: string
  /** More of its help, in plain lines. */
  readonly description?: string
  readonly args?: readonly ArgumentSpec[]
  readonly options?: readonly OptionSpec[]
  /** A full command line that works, beginning with `ariftly`. */
  readonly example: string
  /** Routes of the API that it is the command of, `GET /v1/events/{id}`: each is one method of the SDK. */
  readonly routes?: readonly string[]
  /**
   * Schema of each JSON line that it prints: `api:Event` is one of `components.schemas` in openapi.json, `cli:Identity` one of `$defs` in cli.json;
   * undefined when it prints nothing.
   */
  readonly output?: string
  /** A question that is asked on a terminal, and needs `--yes` elsewhere: "Delete the webhook?". */
  readonly asks?: string
  /** Name of a flag with which nothing is asked. */
  readonly asksUnless?: string
  /** Input was checked before. Throws what `reportError` shows: a CliError, an error of the SDK, the reason of `context.signal`. */
  run(context: Context, input: Input): Promise<ExitCode | void>
}

/** Commands under one name. */
export interface CommandGroup {
  readonly name: string
  readonly summary: string
  readonly commands: readonly CommandNode[]
}

/** A node of the tree. */
export type CommandNode = Command | CommandGroup
