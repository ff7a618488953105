import { open, type FileHandle } from 'node:fs/promises'
import { CliError } from '../errors/cli-error.ts'

/** The file of refused lines. */
export interface Rejects {
  /** Adds lines; resolves with the bytes that the file then has, on the disk. */
  add(lines: readonly string[]): Promise<number>
  close(): Promise<void>
}

/**
 * Opens it. `kept` is what a run that is continued had noted of this file, bytes: what it wrote beyond them before it was killed is cut off, as its
 * lines are sent again. Undefined for a file that the run has not opened before, which must be empty. Throws a CliError `rejects_exist` where lines
 * would be missing, or mixed with those of others.
 */
export async function openRejects(path: string, kept: number | undefined): Promise<Rejects> {
  const file = await openFile(path)
  const bytes = kept ?? 0
  try {
    const { size } = await file.stat()
    if (size < bytes || (kept === undefined && size > 0)) {
      throw new CliError('rejects_exist', `${path} does not hold what this command has written to it.`, {
        pointer: '--rejects',
        remedy: 'Name another file, or remove it.',
      })
    }
    await file.truncate(bytes)
  } catch (error) {
    await file.close()
    throw error
  }
  let at = bytes
  return {
    async add(lines) {
      if (lines.length === 0) return at
      const text = Buffer.from(lines.map((line) => `${line}\n`).join(''))
      await file.write(text, 0, text.length, at)
      await file.sync()
      at += text.length
      return at
    },
    close: async () => await file.close(),
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    // The first flag makes the file, the second one leaves what is in it.
    await (await open(path, 'a', 0o600)).close()
    return await open(path, 'r+')
  } catch (error) {
    const message = `${path} cannot be written: ${(error as Error).message}`
    throw new CliError('rejects_not_writable', message, { pointer: '--rejects', cause: error })
  }
}
