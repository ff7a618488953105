import type { Ariftly } from '@ariftly/sdk'
import type { Context } from '../command/context.ts'
import { resolveTarget, type ResolvedTarget } from '../forward/resolve-target.ts'
import { lockState } from '../state/lock-state.ts'
import { readState, writeState } from '../state/state-file.ts'
import type { TypeName } from '../stream/expand-types.ts'
import { untilAnswered, type WaitOptions } from '../stream/until-answered.ts'
import { readListenFilter, typesOf } from './listen-filter.ts'
import type { ListenOptions } from './listen-options.ts'
import { newListenState, parseListenState, refuseOther, type ListenScope, type ListenState } from './listen-state.ts'

/** A `listen` that may begin: its state is locked, read, and was written. */
export interface ListenSession {
  readonly target: ResolvedTarget
  readonly state: ListenState
  /** Its secret was made just now. */
  readonly isNew: boolean
  /** The exact types; undefined for all. */
  readonly types: readonly TypeName[] | undefined
}

/**
 * Checks what can be checked before a request, waits for the server to say whose the key is, and opens the state. The lock is added to `releases` as
 * soon as it is taken. Throws a CliError.
 */
export async function openSession(
  context: Context,
  client: Ariftly,
  o: ListenOptions,
  { onWait, releases }: Pick<WaitOptions, 'onWait'> & { readonly releases: (() => void)[] },
): Promise<ListenSession> {
  const { signal } = context
  const target = await resolveTarget(o.forwardTo, { allowRemote: o.allowsRemote })
  releases.push(await lockState(o.statePath, 'Stop it, or give this one a name of its own with --name.'))
  const kept = await readState(o.statePath, parseListenState)
  const { url: server } = await context.server()
  const ask = async () => {
    const { tenant } = await client.apiKeys.current({ signal, maxRetries: 0 })
    const filter = await readListenFilter(client, o, signal)
    const types = await typesOf(client, filter, signal)
    return { scope: { server, tenant, filter } satisfies ListenScope, types }
  }
  const { scope, types } = await untilAnswered(ask, { signal, onWait })
  if (kept !== undefined) refuseOther(o.statePath, kept, scope)
  const state = kept ?? newListenState(scope, o.after)
  // A state that cannot be written must show before anything is forwarded.
  await writeState(o.statePath, state)
  return { target, state, isNew: kept === undefined, types }
}
