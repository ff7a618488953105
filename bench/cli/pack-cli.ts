import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'

const PACKAGE = join(import.meta.dirname, '../../packages/cli')

/** Bundles the command line as `npm pack` does, and gives the path of the program and its bytes. */
export function packCli(): { readonly program: string; readonly bytes: number } {
  execFileSync(process.execPath, [join(PACKAGE, 'bundle.mjs')], { stdio: ['ignore', 'ignore', 'inherit'] })
  const program = join(PACKAGE, 'dist/ariftly.cjs')
  return { program, bytes: statSync(program).size }
}
