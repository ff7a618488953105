import { spawnSync } from 'node:child_process'

/** As root, and without the requests that a browser makes of its own. */
export const CHROMIUM_ARGS = [
  '--no-sandbox',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** The path of Chromium, which is installed with apt when it is missing. Throws an Error when that fails. */
export function findChromium(): string {
  return installed() ?? install()
}

function installed(): string | undefined {
  const found = spawnSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).stdout.trim()
  return found === '' ? undefined : found
}

function install(): string {
  process.stderr.write('Installing chromium\n')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-q'], { env })
  spawnSync('apt-get', ['install', '-yq', '--no-install-recommends', 'chromium'], { env })
  const found = installed()
  if (found === undefined) throw new Error('This test needs Chromium: install it (Debian: apt-get install chromium).')
  return found
}
