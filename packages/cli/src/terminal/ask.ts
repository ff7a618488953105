import { createInterface } from 'node:readline'
import { Writable, type Readable } from 'node:stream'
import { CliError } from '../errors/cli-error.ts'
import { EXIT } from '../errors/exit-code.ts'
import type { Output } from './output.ts'
import type { Shown } from './show.ts'

/** What is asked through. */
export interface Asking {
  readonly stdin: Readable & { readonly isTTY?: boolean }
  readonly err: Output
  readonly signal: AbortSignal
}

/** Whether a person can be asked. */
export function canAsk({ stdin, err }: Pick<Asking, 'stdin' | 'err'>): boolean {
  return stdin.isTTY === true && err.isTty
}

/**
 * Asks on the terminal, and answers with the line that is typed; with `isHidden` it is not shown. Throws a CliError `cancelled` at Ctrl-C while it
 * is hidden, and the reason of the signal.
 */
export async function ask({ stdin, err, signal }: Asking, question: Shown, isHidden = false): Promise<string> {
  signal.throwIfAborted()
  if (stdin.readableEnded) return ''
  // As a terminal of its own, readline takes the echo from the system, and writes what is typed to nowhere.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = isHidden
    ? createInterface({ input: stdin, output: nowhere, terminal: true, historySize: 0 })
    : createInterface({ input: stdin, output: err.stream, terminal: false })
  try {
    err.stream.write(`${question.text} `)
    return await new Promise<string>((resolve, reject) => {
      lines.once('line', resolve)
      lines.once('close', () => resolve(''))
      lines.once('SIGINT', () => reject(new CliError('cancelled', 'Nothing was done.', { exit: EXIT.cancelled })))
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    })
  } finally {
    lines.close()
    if (isHidden) err.stream.write('\n')
  }
}
