import type { Ariftly, CurrentApiKey } from '@ariftly/sdk'
import type { Context, Server } from '../../command/context.ts'

/** Result of one check, as `--json` prints it (`cli:Check`). */
export interface Check {
  readonly check: string
  /** `warning`: it works, and something is odd. `skipped`: it was not asked for, or what it needs is not there. */
  readonly status: 'ok' | 'warning' | 'failed' | 'skipped'
  readonly detail: string
  /** What to do about it. */
  readonly remedy?: string
}

/** Findings of earlier checks, which later ones use. */
export interface Findings {
  readonly context: Context
  server?: Server
  client?: Ariftly
  /** Whether there is no valid key. */
  needsKey?: boolean
  /** Whether the server answered. */
  isReachable?: boolean
  /** Host and port that were dialled for the server: its own, or those of a proxy. */
  dialled?: string
  /** The version of the server, from its index. */
  serverVersion?: string
  /** How far the clock of the server is ahead of this machine's, milliseconds. */
  clockAheadMs?: number
  key?: CurrentApiKey
  /** A position that a stream gave. */
  position?: string
}

/** A finding without a remedy. */
export function passed(check: string, detail: string): Check {
  return { check, status: 'ok', detail }
}

/** A check that was not made. */
export function skipped(check: string, detail: string): Check {
  return { check, status: 'skipped', detail }
}

/** What is wrong, in one line. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
