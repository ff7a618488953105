import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const PACKAGE = join(import.meta.dirname, '../../packages/cli')

/** Packs the command line as its maintainers do, installs the tarball into a new folder without a network, and gives the path of the program. */
export async function installCli(): Promise<string> {
  const folder = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'cli-'))
  const packs = join(folder, 'packed')
  mkdirSync(packs)
  await run('npm', ['pack', '--pack-destination', packs], { cwd: PACKAGE })
  const tarball = join(packs, readdirSync(packs).find((name) => name.endsWith('.tgz')) ?? '')
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder })
  return join(folder, 'node_modules/.bin/ariftly')
}
