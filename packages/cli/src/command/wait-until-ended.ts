import { setTimeout as sleep } from 'node:timers/promises'
import { EXIT, type ExitCode } from '../errors/exit-code.ts'
import { show } from '../terminal/show.ts'
import type { OptionSpec } from './command.ts'
import type { Context } from './context.ts'
import type { Input } from './input.ts'
import { printObject } from './print.ts'

/** How often the progress is read, milliseconds. */
const POLL_MS = 500

/** A job of the API that runs in the background and counts. */
interface Work {
  readonly id: string
  readonly status: string
  readonly scanned_count: number
  readonly delivery_count: number
}

/** Waits for what was started, and shows how far it is. */
export const WAIT: OptionSpec = { name: 'wait', summary: 'wait until it has ended, and show how far it is' }

/** Prints what was started; with `--wait` when it has ended, with exit code 1 when it failed or was cancelled. */
export async function waitUntilEnded<T extends Work>(
  context: Context,
  input: Input,
  started: T,
  read: () => Promise<T>,
): Promise<ExitCode> {
  let work = started
  if (input.flag('wait')) {
    let noted = -1
    while (work.status === 'running') {
      if (work.scanned_count !== noted) {
        noted = work.scanned_count
        await context.note(show`${work.id}: ${work.scanned_count} checked, ${work.delivery_count} to deliver`)
      }
      await sleep(POLL_MS, undefined, { signal: context.signal })
      work = await read()
    }
  }
  await printObject(context, work)
  return work.status === 'failed' || work.status === 'cancelled' ? EXIT.failed : EXIT.done
}
