// `node packages/sdk/pack.mjs <folder>`: makes the package that is published, as a folder and as a tarball in it, and prints the tarball's path.
// Build first (`npm run build`). dist/ holds ES modules; the CommonJS twin of each file is made of them.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { transformSync } from 'esbuild'

const HERE = import.meta.dirname
const DIST = join(HERE, 'dist')
/** Sub-paths that need Node. */
const NODE_ONLY = new Set(['./node'])

const out = resolve(process.argv[2] ?? '')
if (process.argv[2] === undefined) throw new Error('Usage: node packages/sdk/pack.mjs <folder>')

rmSync(join(out, 'package'), { recursive: true, force: true })
for (const file of readdirSync(DIST, { recursive: true, encoding: 'utf8' }).filter(isPublished)) {
  if (file.endsWith('.d.ts')) for (const kind of ['esm', 'cjs']) write(join(kind, file), readSource(file))
  else if (file.endsWith('.js')) {
    write(join('esm', file), readSource(file))
    write(join('cjs', file), transformSync(readSource(file), { format: 'cjs', target: 'node20' }).code)
  }
}
write('esm/package.json', '{"type":"module"}\n')
write('cjs/package.json', '{"type":"commonjs"}\n')
write('package.json', `${JSON.stringify(manifest(), undefined, 2)}\n`)
cpSync(join(HERE, 'README.md'), join(out, 'package/README.md'))
process.stdout.write(`${pack()}\n`)

/** Not helpers of tests, nor what is left of a source that is gone. */
function isPublished(file) {
  const source = join(HERE, 'src', file.replace(/\.(d\.ts|js)$/, '.ts'))
  return /\.(d\.ts|js)$/.test(file) && !/(^|\/)test-/.test(file) && existsSync(source)
}

/** Without the reference to a map: the sources are not published. */
function readSource(file) {
  return readFileSync(join(DIST, file), 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n')
}

function write(file, text) {
  const path = join(out, 'package', file)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

function manifest() {
  const source = JSON.parse(readFileSync(join(HERE, 'package.json'), 'utf8'))
  const { name, version, description, license, engines } = source
  const paths = Object.entries(source.exports).map(([path, { types }]) => [
    path,
    entry(path, types.slice('./dist/'.length)),
  ])
  const root = entry('.', 'index.d.ts')
  return {
    name,
    version,
    description,
    license,
    engines,
    type: 'module',
    sideEffects: false,
    files: ['esm', 'cjs'],
    main: root.require.default,
    module: root.import.default,
    types: root.require.types,
    // For TypeScript's old resolution (node10), which knows no exports.
    typesVersions: { '*': Object.fromEntries(paths.flatMap(oldPath)) },
    exports: { ...Object.fromEntries(paths), './package.json': './package.json' },
  }
}

function entry(path, types) {
  const of = (kind) => ({ types: `./${kind}/${types}`, default: `./${kind}/${types.replace(/\.d\.ts$/, '.js')}` })
  const both = { import: of('esm'), require: of('cjs') }
  return { browser: NODE_ONLY.has(path) ? null : of('esm'), ...both }
}

function oldPath([path, { require }]) {
  return path === '.' ? [] : [[path.slice('./'.length), [require.types]]]
}

function pack() {
  const packed = spawnSync('npm', ['pack', '--json', '--pack-destination', out], {
    cwd: join(out, 'package'),
    encoding: 'utf8',
  })
  if (packed.status !== 0) throw new Error(packed.stderr)
  const answer = JSON.parse(packed.stdout)
  const [{ filename }] = Array.isArray(answer) ? answer : Object.values(answer)
  return join(out, filename)
}
