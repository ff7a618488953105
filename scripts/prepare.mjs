import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the checkout. */
export const root = join(import.meta.dirname, '..')

/** Ends the process with one sentence when this Node is too old. */
export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  process.stderr.write(`Node 20.19 or newer is needed; this is ${process.versions.node}.\n`)
  process.exit(1)
}

/**
 * Runs `npm ci`, in all folders concurrently, where node_modules differs from package-lock.json; false if one failed. npm's output
 * is on stderr. Folders are relative to the checkout: `tools` has its own packages.
 */
export async function installIfStale(...folders) {
  const installed = await Promise.all(folders.filter((folder) => isStale(join(root, folder))).map(install))
  return installed.every(Boolean)
}

async function install(folder) {
  process.stderr.write(`Installing packages (npm ci)${folder === '.' ? '' : ` of ${folder}`} …\n`)
  return await run('npm', ['ci', '--no-audit', '--no-fund', ...(folder === '.' ? [] : ['--prefix', folder])])
}

/** Runs a program in the checkout with its standard output on our stderr; false if it failed. */
export async function run(file, args) {
  const child = spawn(file, args, { cwd: root, stdio: ['ignore', 2, 2] })
  return await new Promise((resolve) => {
    child.once('close', (code) => resolve(code === 0))
    child.once('error', (error) => {
      process.stderr.write(`${file} cannot be run: ${error.message}\n`)
      resolve(false)
    })
  })
}

function isStale(folder) {
  // npm writes this file last: an interrupted install has none.
  const have = packagesIn(join(folder, 'node_modules/.package-lock.json'))
  return Object.entries(packagesIn(join(folder, 'package-lock.json'))).some(([path, wanted]) => {
    const { version, resolved, link } = have[path] ?? { version: 'none' }
    const isOther = version !== wanted.version || (link === true && resolved !== wanted.resolved) // The folder of a workspace.
    return path.startsWith('node_modules/') && !wanted.optional && isOther
  })
}

function packagesIn(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {}
}

/** What the bundle of the console is made of. */
const CONSOLE_SOURCES = ['packages/console', 'packages/sdk/src', 'package-lock.json']

/** Bundles `packages/console` when something of it is newer than the bundle; false if that failed. */
export async function buildConsoleIfStale() {
  const page = join(root, 'packages/console/dist/app/index.html')
  const newestMs = Math.max(...CONSOLE_SOURCES.map((path) => newestIn(join(root, path))))
  if (existsSync(page) && statSync(page).mtimeMs > newestMs) return true
  return await run(process.execPath, [join(root, 'node_modules/vite/bin/vite.js'), 'build', 'packages/console'])
}

/** When the newest file was changed, or a folder got or lost one, in epoch milliseconds. */
function newestIn(path) {
  const stat = statSync(path)
  if (!stat.isDirectory()) return stat.mtimeMs
  const inside = readdirSync(path).filter((name) => name !== 'dist' && name !== 'node_modules')
  // A build changes the folder that `dist` is in.
  const own = inside.includes('src') ? 0 : stat.mtimeMs
  return Math.max(own, ...inside.map((name) => newestIn(join(path, name))))
}
