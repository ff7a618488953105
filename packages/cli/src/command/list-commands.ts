import type { Command, CommandGroup, CommandNode } from './command.ts'

/** Whether a node has commands below it. */
export function isGroup(node: CommandNode): node is CommandGroup {
  return 'commands' in node
}

/** A command and the words that it is called by, without `ariftly`. */
export interface NamedCommand {
  readonly words: readonly string[]
  readonly command: Command
}

/** All commands below a group, in its order. */
export function listCommands(group: CommandGroup, words: readonly string[] = []): readonly NamedCommand[] {
  return group.commands.flatMap((node) =>
    isGroup(node) ? listCommands(node, [...words, node.name]) : [{ words: [...words, node.name], command: node }],
  )
}
