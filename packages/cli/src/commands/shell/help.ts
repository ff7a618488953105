import type { ArgumentSpec, Command, CommandGroup, CommandNode, OptionSpec } from '../../command/command.ts'
import { GLOBAL_OPTIONS } from '../../command/global-options.ts'
import { isGroup } from '../../command/list-commands.ts'
import { helpOf } from '../../command/parse-argv.ts'
import { CliError } from '../../errors/cli-error.ts'
import { EXIT } from '../../errors/exit-code.ts'
import { literal } from '../../terminal/show.ts'

/** `ariftly help`: the tree of commands, for people and, with `--json`, for programs. */
export function createHelp(tree: () => CommandGroup): Command {
  return {
    name: 'help',
    summary: 'Show help; with --json, all commands as one JSON object.',
    args: [{ name: 'command', summary: 'words of a command', optional: true, many: true }],
    example: 'ariftly help --json',
    output: 'cli:Help',
    async run(context, input) {
      const words = input.list('command')
      const node = words.reduce<CommandNode>((at, word) => findBelow(at, word), tree())
      if (context.isJsonAsked) {
        const exit_codes = Object.fromEntries(Object.entries(EXIT).map(([name, code]) => [code, name]))
        await context.out.json({
          ...describeNode(node, words),
          global_options: GLOBAL_OPTIONS.map(describeOption),
          exit_codes,
        })
        return
      }
      await context.out.line(literal(helpOf(tree(), words).trimEnd()))
    },
  }
}

function findBelow(node: CommandNode, word: string): CommandNode {
  const found = isGroup(node) ? node.commands.find(({ name }) => name === word) : undefined
  if (found !== undefined) return found
  throw new CliError('usage', `There is no command ${word}.`, { remedy: 'Run: ariftly help' })
}

function describeNode(node: CommandNode, words: readonly string[]): object {
  const { name, summary } = node
  if (isGroup(node)) {
    return { name, summary, commands: node.commands.map((below) => describeNode(below, [...words, below.name])) }
  }
  const { description = null, args = [], options = [], example, routes = [], output = null, asks } = node
  return {
    name,
    summary,
    description,
    usage: ['ariftly', ...words].join(' '),
    arguments: args.map(describeArgument),
    options: options.map(describeOption),
    example,
    routes,
    output,
    needs_yes: asks !== undefined,
  }
}

function describeArgument({
  name,
  summary,
  kind = 'text',
  optional = false,
  many = false,
  choices,
}: ArgumentSpec): object {
  return { name, summary, kind, required: !optional, many, ...(choices === undefined ? {} : { choices }) }
}

function describeOption(option: OptionSpec): object {
  const { name, short, shown, summary, kind = 'text', required = false, many = false, choices } = option
  return {
    name: `--${name}`,
    ...(short === undefined ? {} : { short: `-${short}` }),
    summary,
    // A flag takes no value.
    kind: shown === undefined ? 'flag' : kind,
    required,
    many,
    ...(choices === undefined ? {} : { choices }),
  }
}
