import { Command as Parser, CommanderError, Option } from 'commander'
import { CliError } from '../errors/cli-error.ts'
import type { ArgumentSpec, Command, CommandGroup, OptionSpec } from './command.ts'
import { GLOBAL_OPTIONS } from './global-options.ts'
import type { InputValue } from './input.ts'
import { isGroup } from './list-commands.ts'
import { parseValue } from './parse-value.ts'
import { readSource } from './read-source.ts'

/** A command with what it was called with. */
export interface Invocation {
  readonly command: Command
  readonly words: readonly string[]
  /** By the names of its arguments and options. */
  readonly values: ReadonlyMap<string, InputValue | undefined>
  readonly globals: ReadonlyMap<string, InputValue | undefined>
}

/** Inputs that are not in the command line itself. */
export interface ParseWorld {
  readonly nowMs: number
  /** All of standard input, for options that are given as `-`. */
  readonly stdin: () => Promise<string>
}

/**
 * Parses a command line (without the program). The answer is help text when that was asked for. Throws a CliError for what no command takes, with
 * the nearest word where there is one.
 */
export async function parseArgv(
  tree: CommandGroup,
  argv: readonly string[],
  world: ParseWorld,
): Promise<Invocation | { readonly help: string; readonly isMistake: boolean }> {
  const words = parseWords(tree, argv)
  if ('help' in words) return words
  const { command, given, options } = words
  const globals = await readOptions(GLOBAL_OPTIONS, options, world)
  return { command, words: words.path, values: await readValues(command, given, options, world), globals }
}

/** Help of a group or a command, by its words. */
export function helpOf(tree: CommandGroup, words: readonly string[]): string {
  const parsed = parseWords(tree, [...words, '--help'])
  return 'help' in parsed ? parsed.help : ''
}

/** A command with the texts that it was called with. */
interface CalledCommand {
  readonly path: readonly string[]
  readonly command: Command
  /** Its arguments. */
  readonly given: readonly unknown[]
  /** As commander names them. */
  readonly options: Readonly<Record<string, unknown>>
}

function parseWords(
  tree: CommandGroup,
  argv: readonly string[],
): CalledCommand | { readonly help: string; readonly isMistake: boolean } {
  let help = ''
  let found: CalledCommand | undefined
  const take = (path: readonly string[], command: Command, parser: Parser) => {
    found = { path, command, given: parser.processedArgs, options: parser.optsWithGlobals() }
  }
  const program = buildParser(tree, (text) => (help += text), take)
  if (argv.length === 0) return { help: program.helpInformation(), isMistake: false }
  try {
    program.parse(argv, { from: 'user' })
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    if (help === '') throw usageError(error)
    return { help, isMistake: error.exitCode !== 0 }
  }
  return found ?? { help: program.helpInformation(), isMistake: true }
}

type Take = (words: readonly string[], command: Command, parser: Parser) => void

function buildParser(tree: CommandGroup, print: (text: string) => void, take: Take): Parser {
  const program = new Parser(tree.name)
  program.exitOverride().configureOutput({ writeOut: print, writeErr: print, outputError: () => undefined })
  program.configureHelp({ showGlobalOptions: true }).helpCommand(false).description(tree.summary)
  for (const option of GLOBAL_OPTIONS) program.addOption(toOption(option))
  addCommands(program, tree, [], take)
  return program
}

function addCommands(parent: Parser, group: CommandGroup, words: readonly string[], take: Take): void {
  for (const node of group.commands) {
    const path = [...words, node.name]
    const parser = parent.command(node.name).summary(node.summary)
    if (isGroup(node)) {
      parser.description(node.summary)
      parser.helpCommand(false)
      addCommands(parser, node, path, take)
      continue
    }
    parser.description([node.summary, node.description].filter(Boolean).join('\n\n'))
    for (const spec of node.args ?? []) parser.argument(argumentText(spec), spec.summary)
    for (const option of node.options ?? []) parser.addOption(toOption(option))
    parser.addHelpText('after', `\nExample:\n  ${node.example}`)
    parser.allowExcessArguments(false).action(() => take(path, node, parser))
  }
}

function argumentText({ name, optional = false, many = false }: ArgumentSpec): string {
  const text = many ? `${name}...` : name
  return optional ? `[${text}]` : `<${text}>`
}

function toOption(spec: OptionSpec): Option {
  const value = spec.shown === undefined ? '' : ` <${spec.shown}>`
  const flags = `${spec.short === undefined ? '' : `-${spec.short}, `}--${spec.name}${value}`
  const summary = spec.choices === undefined ? spec.summary : `${spec.summary} (${spec.choices.join(', ')})`
  const option = new Option(flags, summary)
  if (spec.required === true) option.makeOptionMandatory()
  if (spec.many === true) option.argParser(append)
  return option
}

function append(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text]
}

type Values = ReadonlyMap<string, InputValue | undefined>

async function readValues(
  { args = [], options = [] }: Command,
  given: readonly unknown[],
  opts: Readonly<Record<string, unknown>>,
  world: ParseWorld,
): Promise<Values> {
  const values = new Map<string, InputValue | undefined>()
  for (const [at, spec] of args.entries())
    values.set(spec.name, await readValue(spec, given[at], `<${spec.name}>`, world))
  return new Map([...values, ...(await readOptions(options, opts, world))])
}

async function readOptions(
  specs: readonly OptionSpec[],
  opts: Readonly<Record<string, unknown>>,
  world: ParseWorld,
): Promise<Values> {
  const values = new Map<string, InputValue | undefined>()
  for (const spec of specs) values.set(spec.name, await readValue(spec, givenFor(spec, opts), `--${spec.name}`, world))
  return values
}

/** What was given for an option. Commander takes `--no-follow` for the end of an option `follow`. */
function givenFor({ name }: OptionSpec, opts: Readonly<Record<string, unknown>>): unknown {
  const isNegative = name.startsWith('no-')
  const member = (isNegative ? name.slice('no-'.length) : name).replaceAll(/-(\w)/g, (_, letter: string) =>
    letter.toUpperCase(),
  )
  return isNegative ? opts[member] === false : opts[member]
}

async function readValue(
  spec: ArgumentSpec | OptionSpec,
  given: unknown,
  pointer: string,
  { nowMs, stdin }: ParseWorld,
): Promise<InputValue | undefined> {
  if (given === undefined || typeof given === 'boolean') return given
  const texts = typeof given === 'string' ? [given] : (given as readonly string[])
  const values: InputValue[] = []
  for (const text of texts) {
    values.push(parseValue(await readSource(text, spec, pointer, stdin), spec, pointer, nowMs))
  }
  // What may be repeated is a list of texts; lists of it are joined.
  return spec.many === true ? (values.flat() as readonly string[]) : values[0]
}

function usageError({ message }: CommanderError): CliError {
  const [first = '', ...more] = message.replace(/^error: /, '').split('\n')
  const text = [first, ...more].join(' ').trim()
  return new CliError('usage', text, { remedy: 'Add --help to a command to see what it takes.' })
}
