import { CliError } from '../errors/cli-error.ts'
import { EXIT } from '../errors/exit-code.ts'
import { ask, canAsk, type Asking } from './ask.ts'
import { show, type Shown } from './show.ts'

/**
 * Asks a question that only y or yes answers; not at all when it `isSure` (`--yes`). Where input or standard error is no terminal it throws a
 * CliError `needs_yes` instead.
 */
export function createConfirm(asking: Asking, isSure: boolean): (question: Shown) => Promise<void> {
  return async function confirm(question) {
    if (isSure) return
    if (!canAsk(asking)) {
      throw new CliError('needs_yes', 'This needs a confirmation, and there is no terminal to ask on.', {
        pointer: '--yes',
        remedy: 'Add --yes.',
      })
    }
    const answer = await ask(asking, show`${question} [y/N]`)
    if (/^y(es)?$/i.test(answer.trim())) return
    throw new CliError('cancelled', 'Nothing was done.', { exit: EXIT.cancelled })
  }
}
