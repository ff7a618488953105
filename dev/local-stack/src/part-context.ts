import type { StackTls } from './tls.ts'

/** What the description of a part (`kafka.ts`, `postgres.ts`, `redis.ts`) is made from. */
export interface PartContext {
  readonly dir: string
  readonly ephemeral: boolean
  readonly env: NodeJS.ProcessEnv
  readonly port: number | undefined
  readonly tls: StackTls | undefined
  readonly postgresSettings: Readonly<Record<string, string>>
  readonly progress: (line: string) => void
  readonly onExit: (detail: string) => void
  /** Spread into the part's `death`. */
  readonly remove: { readonly remove?: string }
}
