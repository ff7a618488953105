// Fetches the script of the API reference page out of its npm package and keeps it, packed, in services/api/assets. The package itself
// would bring 270 others into every installation for this one file. To update: change the version below and run this script.
import { createHash } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { root, run } from './prepare.mjs'

const PACKAGE = '@scalar/api-reference'
const VERSION = '1.43.17'
const FILE = 'package/dist/browser/standalone.js'

const dir = mkdtempSync(join(tmpdir(), 'vendor-reference-'))
try {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', `${PACKAGE}@${VERSION}`, '--json', '--pack-destination', dir], { encoding: 'utf8' }),
  )
  if (!(await run('tar', ['-xzf', join(dir, packed.filename), '-C', dir, FILE])))
    throw new Error('The package could not be unpacked.')
  const script = readFileSync(join(dir, FILE))
  const assets = join(root, 'services/api/assets')
  writeFileSync(join(assets, 'reference.js.gz'), gzipSync(script, { level: 9 }))
  const origin = {
    package: PACKAGE,
    version: VERSION,
    license: 'MIT',
    integrity: packed.integrity,
    file: FILE,
    sha256: createHash('sha256').update(script).digest('hex'),
  }
  writeFileSync(join(assets, 'reference.json'), `${JSON.stringify(origin, undefined, 2)}\n`)
} finally {
  rmSync(dir, { recursive: true })
}
