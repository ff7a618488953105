import { randomUUID } from 'node:crypto'
import { chmod, stat, mkdir, open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CliError } from '../errors/cli-error.ts'
import { codeOf } from '../errors/code-of.ts'

/**
 * Writes a file that only its owner may read (0600), whole or not at all, also when the process is killed or the machine stops. Its folder is made
 * with mode 0700. Throws what the file system throws.
 */
export async function writePrivateFile(path: string, content: string | Uint8Array): Promise<void> {
  await makePrivateFolder(dirname(path))
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    const file = await open(temporary, 'wx', 0o600)
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/**
 * Reads such a file; undefined when there is none. Throws a CliError `file_not_private` when others may read or write it or its folder, as far as
 * the system has modes.
 */
export async function readPrivateFile(path: string): Promise<string | undefined> {
  try {
    await checkPrivate(dirname(path))
    await checkPrivate(path)
    return await readFile(path, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Makes a folder with mode 0700; one that is there must have no wider mode. */
export async function makePrivateFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true, mode: 0o700 })
  // Folders that were made above it have the mode of the process.
  if (made !== undefined) await chmod(path, 0o700)
  await checkPrivate(path)
}

/** Throws a CliError `file_not_private` when others than the owner have a right on it; what the file system throws when it is not there. */
export async function checkPrivate(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const { mode, uid } = await stat(path)
  const isOwn = uid === process.getuid?.()
  if (isOwn && (mode & 0o077) === 0) return
  const problem = isOwn ? `has mode ${(mode & 0o777).toString(8)}` : 'belongs to another user'
  throw new CliError('file_not_private', `${path} ${problem}: others could read or change it.`, {
    remedy: isOwn ? `Run: chmod go= '${path}'` : `Remove ${path}, or make it yours.`,
  })
}
