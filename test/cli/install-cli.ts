import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { DEADLINES, eventually } from '@ariftly/testkit'

const run = promisify(execFile)
const PACKAGE = join(import.meta.dirname, '../../packages/cli')

/**
 * Packs the command line as its maintainers do, installs the tarball into a new folder without a network, and gives the path of the program. It is done
 * once a run of the tests: later callers, also in other processes, wait for the first one.
 */
export async function installCli(): Promise<string> {
  const folder = join(process.env['ARIFTLY_TEST_DIR'] ?? mkdtempSync(join(tmpdir(), 'cli-')), 'installed-cli')
  const program = join(folder, 'node_modules/.bin/ariftly')
  if (isFirst(folder)) await install(folder)
  else
    await eventually('the program is installed', () => existsSync(join(folder, 'done')), {
      timeoutMs: DEADLINES.programStart,
    })
  return program
}

/** Of all who ask, one makes the folder. */
function isFirst(folder: string): boolean {
  try {
    mkdirSync(folder)
    return true
  } catch (error) {
    if ((error as { readonly code?: string }).code === 'EEXIST') return false
    throw error
  }
}

async function install(folder: string): Promise<void> {
  const packs = join(folder, 'packed')
  mkdirSync(packs)
  await run('npm', ['pack', '--pack-destination', packs], { cwd: PACKAGE })
  const tarball = join(packs, readdirSync(packs).find((name) => name.endsWith('.tgz')) ?? '')
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder })
  writeFileSync(join(folder, 'done'), '')
}
