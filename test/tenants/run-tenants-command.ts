import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const CLI = join(import.meta.dirname, '../../services/api/dist/cli.js')

/** Runs `npm run tenants -- <args>` from the build (build first), with exactly `env` and this standard input. */
export function runTenantsCommand(
  env: Readonly<Record<string, string>>,
  args: readonly string[],
  input = '',
): { readonly code: number | null; readonly output: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [CLI, ...args], {
    env: { ...env, PATH: process.env['PATH'] ?? '' },
    input,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, output: stdout + stderr }
}
