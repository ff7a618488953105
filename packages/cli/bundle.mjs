// Runs before `npm pack`: makes dist/ariftly.cjs, one file that holds the command line, the SDK and all that they import.
import { chmodSync, copyFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const HERE = import.meta.dirname
const made = join(HERE, 'dist/ariftly.cjs')
// Renamed at the end: who packs at the same time never reads half a file.
const outfile = `${made}.${process.pid}`
const COMMON = {
  bundle: true,
  minify: true,
  keepNames: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  legalComments: 'inline',
}
await build({
  ...COMMON,
  entryPoints: [join(HERE, 'src/main.ts')],
  outfile,
  conditions: ['source', '@ariftly/source'],
  plugins: [{ name: 'as text', setup: (of) => of.onLoad({ filter: /\/undici\/index\.js$/ }, asText) }],
})
chmodSync(outfile, 0o755)
renameSync(outfile, made)
copyFileSync(join(HERE, '../../CHANGELOG.md'), join(HERE, 'CHANGELOG.md'))

/** A module that is compiled when it is imported: of undici, which only proxies need, Node would otherwise parse 0.5 MB at each start. */
async function asText({ path }) {
  const { outputFiles } = await build({ ...COMMON, entryPoints: [path], write: false })
  const text = JSON.stringify(outputFiles[0].text)
  return { contents: `new Function('module', 'exports', 'require', ${text})(module, exports, require)`, loader: 'js' }
}
