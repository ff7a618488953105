// `npm run release -- [--out release] [--no-image]`: makes what a release holds in a folder, which is emptied first:
//   <package>-<version>.tgz          each package of packages/ that is published: those with a `prepack` script
//   ariftly-events-<version>.tar     the image for this machine's platform, where a Docker engine answers (docker load -i)
//   sbom.cdx.json                    what the image holds of other authors, as CycloneDX
//   SHA256SUMS                       of all of these (sha256sum -c SHA256SUMS)
//   publish.sh                       publishes them: `release/publish.sh <registry>/ariftly/events`
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { makeSbom } from './make-sbom.mjs'
import { checkNode, installIfStale, root, run } from './prepare.mjs'

const { values } = parseArgs({
  options: { out: { type: 'string', default: 'release' }, 'no-image': { type: 'boolean', default: false } },
})
const out = resolve(root, values.out)
const { version } = readJson('package.json')

checkNode()
if (!(await installIfStale('.')) || !(await run('node', ['node_modules/typescript/bin/tsc', '-b']))) process.exit(1)
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
for (const folder of publishedFolders()) {
  await must('npm', ['pack', '--silent', '--workspace', folder, '--pack-destination', out])
}
writeFileSync(join(out, 'sbom.cdx.json'), makeSbom())
await saveImage()
await writeSums()
writeFileSync(join(out, 'publish.sh'), publishScript(), { mode: 0o755 })
process.stdout.write(`${readFileSync(join(out, 'SHA256SUMS'), 'utf8')}In ${out}; publish.sh there publishes it.\n`)

function publishedFolders() {
  return readdirSync(join(root, 'packages'))
    .map((name) => `packages/${name}`)
    .filter(isPublished)
}

/** A folder without a package.json is what another branch has left. */
function isPublished(folder) {
  const file = `${folder}/package.json`
  return existsSync(join(root, file)) && readJson(file).scripts?.prepack !== undefined
}

async function saveImage() {
  const engine = spawnSync('docker', ['version', '--format', '{{.Server.Version}}'], { encoding: 'utf8' })
  if (values['no-image'] || engine.status !== 0) {
    process.stdout.write(`Without the image: ${values['no-image'] ? '--no-image' : 'no Docker engine answers'}\n`)
    return
  }
  const image = `ariftly/events:${version}`
  await must('docker', ['build', '-t', image, '.'])
  await must('docker', ['save', '-o', join(out, `ariftly-events-${version}.tar`), image])
}

async function writeSums() {
  const lines = []
  for (const name of readdirSync(out).toSorted()) {
    const hash = createHash('sha256')
    for await (const chunk of createReadStream(join(out, name))) hash.update(chunk)
    lines.push(`${hash.digest('hex')}  ${name}\n`)
  }
  writeFileSync(join(out, 'SHA256SUMS'), lines.join(''))
}

function publishScript() {
  return `#!/bin/sh
# Publishes this folder: the packages to the npm registry that npm is logged in at, and the image, if there is one, under the name
# of the first argument. Stops at the first file that was changed.
set -eu
cd "$(dirname "$0")"
sha256sum -c SHA256SUMS
for package in *.tgz; do npm publish "./$package" --access public; done
image=ariftly-events-${version}.tar
if [ -n "\${1:-}" ] && [ -f "$image" ]; then
  docker load -i "$image"
  docker tag "ariftly/events:${version}" "$1:${version}"
  docker push "$1:${version}"
fi
`
}

async function must(file, args) {
  if (!(await run(file, args))) fail(`${file} ${args[0]} failed`)
}

function fail(message) {
  process.stderr.write(`${message}\n`)
  process.exit(1)
}

function readJson(file) {
  return JSON.parse(readFileSync(join(root, file), 'utf8'))
}
