import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from './prepare.mjs'

/** What the image is built of, as in the Dockerfile. */
const SHIPPED = ['packages', 'services']

/**
 * The bill of materials of the shipped software, as CycloneDX: our packages and services and their dependencies, in the versions
 * of the lock file. `npm sbom --omit dev` in the checkout would leave out each package that is also a development dependency of
 * the root (pg, bullmq), and name our packages for tests. So it runs on the manifests without their development dependencies.
 * @throws Error with npm's output.
 */
export function makeSbom() {
  const temporary = mkdtempSync(join(tmpdir(), 'ariftly-sbom-'))
  // npm calls the root component as its folder is called.
  const folder = join(temporary, readJson('package.json').name)
  try {
    copyManifests(folder)
    // Takes out of the lock file what nothing needs any more: npm sbom misses packages that something of that needs too.
    npm(folder, ['install', '--package-lock-only', '--offline', '--ignore-scripts', '--no-audit', '--no-fund'])
    return npm(folder, ['sbom', '--package-lock-only', '--sbom-format', 'cyclonedx', '--omit', 'dev'])
  } finally {
    rmSync(temporary, { recursive: true })
  }
}

function npm(folder, args) {
  const { status, stdout, stderr } = spawnSync('npm', args, { cwd: folder, encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`npm ${args[0]}: ${stderr}`)
  return stdout
}

function copyManifests(folder) {
  const shipped = SHIPPED.flatMap((name) => readdirSync(join(root, name)).map((one) => `${name}/${one}`))
  for (const path of ['.', ...shipped]) {
    if (!existsSync(join(root, path, 'package.json'))) continue
    mkdirSync(join(folder, path), { recursive: true })
    writeJson(folder, `${path}/package.json`, trim(readJson(`${path}/package.json`), path === '.'))
  }
  const { packages, ...lock } = readJson('package-lock.json')
  const kept = Object.entries(packages)
    .filter(([path, { link, resolved }]) => isShipped(path) && !(link && !isShipped(resolved)))
    .map(([path, entry]) => [path, trim(entry, path === '')])
  writeJson(folder, 'package-lock.json', { ...lock, packages: Object.fromEntries(kept) })
}

/** A member without a value is not written. */
function trim(manifest, isRoot) {
  const workspaces = isRoot ? SHIPPED.map((name) => `${name}/*`) : undefined
  return { ...manifest, devDependencies: undefined, workspaces }
}

/** Packages of others, and ours that are shipped. */
function isShipped(path) {
  return path === '' || ['node_modules', ...SHIPPED].includes(path.split('/')[0])
}

function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}

function writeJson(folder, file, value) {
  writeFileSync(join(folder, file), JSON.stringify(value))
}
