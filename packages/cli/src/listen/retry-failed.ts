import type { Context } from '../command/context.ts'
import { EXIT, type ExitCode } from '../errors/exit-code.ts'
import { resolveTarget } from '../forward/resolve-target.ts'
import { CliError } from '../errors/cli-error.ts'
import { lockState } from '../state/lock-state.ts'
import { readState } from '../state/state-file.ts'
import { show } from '../terminal/show.ts'
import { createForwarding } from './create-forwarding.ts'
import { readFailed, toForwarded, writeFailed } from './failed-list.ts'
import { createListenDisplay } from './listen-display.ts'
import type { ListenOptions } from './listen-options.ts'
import { parseListenState } from './listen-state.ts'

/** Time for attempts under way at the end. */
const END_MS = 3000

/**
 * Posts the events of the list of failed events again, byte for byte, and removes those with a 2xx from the list. Exit code 1 when some are left.
 * Throws a CliError where there is no state.
 */
export async function retryFailed(context: Context, o: ListenOptions): Promise<ExitCode> {
  const target = await resolveTarget(o.forwardTo, { allowRemote: o.allowsRemote })
  const release = await lockState(o.statePath, 'Stop it first.')
  const display = createListenDisplay(context)
  try {
    const state = await readState(o.statePath, parseListenState)
    if (state === undefined) throw new CliError('no_state', `There is no state ${o.statePath}: nothing has failed.`)
    const failed = await readFailed(o.failedPath)
    const delivered = new Set<string>()
    const { forwarder, close } = createForwarding(context, o, { target, state }, async (settled) => {
      if (settled.result === 'delivered') delivered.add(settled.event.id)
      await display.settled(settled)
    })
    context.signal.addEventListener('abort', () => void forwarder.stop(END_MS), { once: true })
    try {
      for (const each of failed) await forwarder.add(toForwarded(each), undefined)
      await forwarder.drained()
    } finally {
      await forwarder.stop(END_MS)
      close()
      // Events that were given up again are in the file twice, and are read once.
      await writeFailed(
        o.failedPath,
        (await readFailed(o.failedPath)).filter(({ id }) => !delivered.has(id)),
      )
    }
    context.signal.throwIfAborted()
    await display.note(show`${delivered.size} of ${failed.length} delivered.`)
    return delivered.size === failed.length ? EXIT.done : EXIT.failed
  } finally {
    display.close()
    release()
  }
}
