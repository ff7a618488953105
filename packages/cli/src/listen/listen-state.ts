import { generateSecret } from '@ariftly/signatures'
import type { WebhookFilter } from '@ariftly/webhook-filter'
import { CliError } from '../errors/cli-error.ts'

/** Which events are forwarded, as it was asked for. All conditions must hold. */
export interface ListenFilter {
  /** Types and groups, sorted; empty: all. */
  readonly events: readonly string[]
  readonly task_id: string | null
  readonly session_id: string | null
  readonly agent: string | null
  /** The webhook of the API that they were taken from. */
  readonly webhook: string | null
  readonly filter: WebhookFilter | null
}

/** Whose events a state is about. A state is continued only where all of it is the same. */
export interface ListenScope {
  readonly server: string
  readonly tenant: string
  readonly filter: ListenFilter
}

/** The state of `listen`. */
export interface ListenState extends ListenScope {
  readonly version: 1
  /** ISO 8601: where it begins as long as there is no position; null: with new events. */
  readonly after: string | null
  /** Position below which every event had a 2xx, or was given up. */
  readonly position: string | null
  /** Ids of events behind it that had one too, or were given up: they are not forwarded again. */
  readonly settled: readonly string[]
  /** Signs what is forwarded, unless another secret is given. */
  readonly secret: string
}

/** A state that begins at a time, or with new events, and has a secret of its own. */
export function newListenState(scope: ListenScope, after: string | undefined): ListenState {
  return { version: 1, ...scope, after: after ?? null, position: null, settled: [], secret: generateSecret() }
}

/** Throws a CliError `state_of_another` when a state is about other events than the requested ones. */
export function refuseOther(path: string, kept: ListenState, scope: ListenScope): void {
  for (const member of ['server', 'tenant', 'filter'] as const) {
    const [before, now] = [JSON.stringify(kept[member]), JSON.stringify(scope[member])]
    if (before === now) continue
    throw new CliError('state_of_another', `The state ${path} is of another ${member}: ${before}, not ${now}.`, {
      remedy: 'Give this one a name of its own with --name, or remove the file to begin without a state.',
    })
  }
}

/** Reads a state; undefined when it is none. */
export function parseListenState(value: Readonly<Record<string, unknown>>): ListenState | undefined {
  const { version, server, tenant, filter, after, position, settled, secret } = value
  const isText = [server, tenant, secret].every((member) => typeof member === 'string' && member !== '')
  const isPlace = [after, position].every((member) => member === null || (typeof member === 'string' && member !== ''))
  const isFilter = typeof filter === 'object' && filter !== null
  const isSettled = Array.isArray(settled) && settled.every((id) => typeof id === 'string')
  return version === 1 && isText && isPlace && isFilter && isSettled ? (value as unknown as ListenState) : undefined
}
