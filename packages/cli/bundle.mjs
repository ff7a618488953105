// Runs before `npm pack`: makes dist/ariftly.cjs, one file that holds the command line, the SDK and all that they import.
import { chmodSync, copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

const HERE = import.meta.dirname
const made = join(HERE, 'dist/ariftly.cjs')
// Renamed at the end: who packs at the same time never reads half a file.
const outfile = `${made}.${process.pid}`
buildSync({
  entryPoints: [join(HERE, 'src/main.ts')],
  outfile,
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  conditions: ['source', '@ariftly/source'],
  legalComments: 'inline',
})
chmodSync(outfile, 0o755)
renameSync(outfile, made)
copyFileSync(join(HERE, '../../CHANGELOG.md'), join(HERE, 'CHANGELOG.md'))
