// Runs before `npm pack`: makes dist/ariftly.cjs, one file that holds the command line, the SDK and all that they import.
import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { buildSync } from 'esbuild'

const HERE = import.meta.dirname
const outfile = join(HERE, 'dist/ariftly.cjs')
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
