import type { CommandGroup } from './command/command.ts'
import { listen } from './listen/listen-command.ts'
import { whoami } from './commands/whoami.ts'

/** All commands. */
export const TREE: CommandGroup = {
  name: 'ariftly',
  summary: 'Send events to Ariftly, follow them, and forward them to a program on this machine.',
  commands: [whoami, listen],
}
