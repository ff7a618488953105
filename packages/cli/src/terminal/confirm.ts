import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { CliError } from '../errors/cli-error.ts'
import { EXIT } from '../errors/exit-code.ts'
import type { Output } from './output.ts'
import type { Shown } from './show.ts'

/** What {@link createConfirm} asks through. */
export interface Asking {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly err: Output
  readonly signal: AbortSignal
  /** `--yes`. */
  readonly isSure: boolean
}

/** Asks a question that only y or yes answers. Where input or standard error is no terminal it throws a CliError `needs_yes` instead. */
export function createConfirm({ stdin, err, signal, isSure }: Asking): (question: Shown) => Promise<void> {
  return async function confirm(question) {
    if (isSure) return
    if (stdin.isTTY !== true || !err.isTty) {
      throw new CliError('needs_yes', 'This needs a confirmation, and there is no terminal to ask on.', {
        pointer: '--yes',
        remedy: 'Add --yes.',
      })
    }
    const answer = await ask(`${question.text} [y/N] `)
    if (/^y(es)?$/i.test(answer.trim())) return
    throw new CliError('cancelled', 'Nothing was done.', { exit: EXIT.cancelled })
  }

  async function ask(text: string): Promise<string> {
    const lines = createInterface({ input: stdin, output: err.stream, terminal: false })
    try {
      err.stream.write(text)
      return await new Promise<string>((resolve, reject) => {
        lines.once('line', resolve)
        lines.once('close', () => resolve(''))
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
      })
    } finally {
      lines.close()
    }
  }
}
