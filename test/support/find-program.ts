import { spawnSync } from 'node:child_process'

/** The path of a program, whose Debian package of the same name is installed when it is missing. Throws an Error when that fails. */
export function findProgram(name: string): string {
  return installed(name) ?? install(name)
}

function installed(name: string): string | undefined {
  const found = spawnSync('sh', ['-c', 'command -v "$0"', name], { encoding: 'utf8' }).stdout.trim()
  return found === '' ? undefined : found
}

function install(name: string): string {
  process.stderr.write(`Installing ${name}\n`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-q'], { env })
  spawnSync('apt-get', ['install', '-yq', '--no-install-recommends', name], { env })
  const found = installed(name)
  if (found === undefined) throw new Error(`This test needs ${name}: install it (Debian: apt-get install ${name}).`)
  return found
}
