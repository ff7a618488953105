import type { Keyring } from '@ariftly/keyring'
import type { Pool } from '@ariftly/store'

/** What an operator's command works with. */
export interface CommandContext {
  readonly pool: Pool
  /** Made when a command asks for it: ENCRYPTION_KEYS is needed by `re-encrypt` alone. */
  readonly keyring: () => Keyring
  /** The webhook that the command is about; undefined for commands that are about all. */
  readonly webhookId: string | undefined
  readonly print: (line: string) => void
}

/** Does its work and returns the exit code: 0, or 1 when what it checked is not as it should be. */
export type Command = (context: CommandContext) => Promise<number>
