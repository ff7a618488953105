import { readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { text as readAll } from 'node:stream/consumers'
import { CliError } from '../errors/cli-error.ts'
import type { ValueSpec } from './command.ts'

/** Reads all of standard input; at Ctrl-C it rejects with the reason of `signal`. */
export async function readStdin(stdin: Readable, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted()
  const stop = () => stdin.destroy(signal.reason as Error)
  signal.addEventListener('abort', stop, { once: true })
  try {
    return await readAll(stdin)
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

/**
 * The text that the value of an option names: of `json` and `source` that of `@file` or, for `-`, of standard input; of `secret` that of a file. Values of other
 * kinds are returned unchanged. Throws a CliError `unreadable_file`.
 */
export async function readSource(
  text: string,
  { kind }: ValueSpec,
  pointer: string,
  stdin: () => Promise<string>,
): Promise<string> {
  if (kind !== 'json' && kind !== 'source' && kind !== 'secret') return text
  if (text === '-') return await stdin()
  if (kind !== 'secret' && !text.startsWith('@')) return text
  try {
    return await readFile(kind === 'secret' ? text : text.slice(1), 'utf8')
  } catch (error) {
    throw new CliError('unreadable_file', `${pointer} cannot be read: ${(error as Error).message}`, { pointer })
  }
}
