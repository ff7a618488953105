import { CliError } from '../errors/cli-error.ts'
import { readPrivateFile, writePrivateFile } from '../settings/private-file.ts'

/** Reads a state out of its JSON value; undefined when it is none. */
export type ParseState<S> = (value: Readonly<Record<string, unknown>>) => S | undefined

/**
 * Reads a state file; undefined when there is none. Throws a CliError `state_damaged` for one that is not whole, `file_not_private` for one that
 * others may read, and `state_unreadable` when the system does not give it: a command must not begin without a state then.
 */
export async function readState<S>(path: string, parse: ParseState<S>): Promise<S | undefined> {
  const text = await readPrivateFile(path).catch((error: unknown) => {
    if (error instanceof CliError) throw error
    throw stateError('state_unreadable', `The state file ${path} cannot be read: ${messageOf(error)}`, path, error)
  })
  if (text === undefined) return undefined
  const state = parse(readObject(text) ?? {})
  if (state !== undefined) return state
  throw stateError('state_damaged', `The state file ${path} is damaged.`, path)
}

/** Writes it, whole. Throws a CliError `state_not_writable`. */
export async function writeState(path: string, state: object): Promise<void> {
  await writePrivateFile(path, `${JSON.stringify(state)}\n`).catch((error: unknown) => {
    if (error instanceof CliError) throw error
    throw new CliError('state_not_writable', `The state file ${path} cannot be written: ${messageOf(error)}`, {
      remedy:
        'Free the disk, or correct the rights on the folder, and run the command again: it continues where it was.',
      cause: error,
    })
  })
}

function stateError(code: string, message: string, path: string, cause?: unknown): CliError {
  const remedy = `Restore it from a copy, or remove ${path} to begin without a state: what was under way may then be missed or repeated.`
  return new CliError(code, message, { remedy, cause })
}

function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
