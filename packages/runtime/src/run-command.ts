import { messageOf } from '@ariftly/fault'
import { EXIT, exitCodeOf } from './exit-code.ts'

/**
 * Runs an operator's command as this process, with the exit code that it returns. An error is printed without its stack and
 * ends it with 1, one that only another setting or server can correct with 78.
 */
export async function runCommand(command: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await command()
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`)
    process.exitCode = exitCodeOf(error)
  }
}

/** Prints how commands are called; returns the exit code of a wrong call. */
export function refuseCall(usage: string): number {
  process.stderr.write(usage)
  return EXIT.usage
}
