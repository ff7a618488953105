#!/usr/bin/env node
import { VERSION } from './version.ts'

const argv = process.argv.slice(2)
if (argv.length === 1 && (argv[0] === '--version' || argv[0] === '-V')) process.stdout.write(`${VERSION}\n`)
else void main()

async function main(): Promise<void> {
  const cancelled = new AbortController()
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    // A second one ends the process at once, as if nothing had been handled.
    process.once(name, () => cancelled.abort(new Error(`Cancelled by ${name}.`)))
  }
  const { stdin, stdout, stderr, env } = process
  // Not loaded for `--version`.
  const { runCli } = await import('./run-cli.ts')
  process.exitCode = await runCli({ argv, stdin, stdout, stderr, env, signal: cancelled.signal, now: Date.now })
}
