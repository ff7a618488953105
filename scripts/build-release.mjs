import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root, run } from './prepare.mjs'

/**
 * Checks a release out into `.cache/` and builds it, once.
 * @param commit a tag or a commit.
 * @returns its folder; undefined when that failed, as in a clone without the commit.
 */
export async function buildRelease(commit) {
  const folder = join('.cache', `release-${commit}`)
  const dir = join(root, folder)
  if (existsSync(join(dir, 'services/standalone/dist/main.js'))) return dir
  rmSync(dir, { recursive: true, force: true })
  const done =
    (await run('git', ['worktree', 'prune'])) &&
    (await run('git', ['worktree', 'add', '--detach', folder, commit])) &&
    (await run('npm', ['ci', '--no-audit', '--no-fund', '--prefix', folder])) &&
    (await run('node', [join(folder, 'node_modules/typescript/bin/tsc'), '-b', join(folder, 'tsconfig.json')]))
  return done ? dir : undefined
}
