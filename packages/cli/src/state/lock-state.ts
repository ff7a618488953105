import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { LockHeldError, takeLock } from '@ariftly/sdk/node'
import { CliError } from '../errors/cli-error.ts'
import { makePrivateFolder } from '../settings/private-file.ts'

/**
 * Makes this process the only one that works on a state file, until the returned function is called. Throws a CliError `state_in_use` that names the
 * process that has it; the lock of a killed process is taken over.
 */
export async function lockState(path: string, remedy: string): Promise<() => void> {
  const lock = `${path}.lock`
  await makePrivateFolder(dirname(path))
  try {
    takeLock(lock)
  } catch (error) {
    if (!(error instanceof LockHeldError)) throw error
    const message = `${path} is in use by process ${error.pid}.`
    throw new CliError('state_in_use', message, { remedy, cause: error })
  }
  return function release() {
    try {
      rmSync(lock, { force: true })
    } catch {
      // The folder is gone or read-only. The next process takes the lock of one that has ended over.
    }
  }
}
