import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
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
 * Runs `npm ci`, in all folders at once, where node_modules is not what package-lock.json says; false if one failed. npm's output goes
 * to stderr. Folders are relative to the checkout: `tools` has packages of its own.
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
