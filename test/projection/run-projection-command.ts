import { execFile } from 'node:child_process'
import { join } from 'node:path'

const CLI = join(import.meta.dirname, '../../services/projector/dist/cli.js')
const TIMEOUT_MS = 60_000

/** Exit code and output of a command. */
export interface CommandOutcome {
  readonly code: number
  readonly output: string
}

/** Runs `npm run projection -- <args>` from the build (build first), with exactly `env`. */
export function runProjectionCommand(
  env: Readonly<Record<string, string>>,
  ...args: readonly string[]
): Promise<CommandOutcome> {
  return new Promise((resolve) => {
    const whole = { ...env, PATH: process.env['PATH'] ?? '' }
    const child = execFile(
      process.execPath,
      [CLI, ...args],
      { env: whole, timeout: TIMEOUT_MS },
      (_error, out, err) => {
        resolve({ code: child.exitCode ?? -1, output: out + err })
      },
    )
  })
}
