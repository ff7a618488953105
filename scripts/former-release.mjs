import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './prepare.mjs'

/** The release before this one, which a rolling upgrade starts from. */
const FORMER_RELEASE = 'd189554'

/**
 * Checks the previous release out into `.cache/` and builds it, once.
 * @returns its folder; undefined when that failed, as in a clone without its commit.
 */
export async function buildFormerRelease() {
  const folder = join('.cache', `release-${FORMER_RELEASE}`)
  const dir = join(root, folder)
  if (existsSync(join(dir, 'services/standalone/dist/main.js'))) return dir
  rmSync(dir, { recursive: true, force: true })
  const done =
    (await run('git', ['worktree', 'prune'])) &&
    (await run('git', ['worktree', 'add', '--detach', folder, FORMER_RELEASE])) &&
    (await run('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder])) &&
    (await run('node', [join(folder, 'node_modules/typescript/bin/tsc'), '-b', join(folder, 'tsconfig.json')]))
  return done ? dir : undefined
}
