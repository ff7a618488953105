// Runs before `npm pack`, after the compiler has made the ES modules of dist/esm: makes the CommonJS form of each in dist/cjs. A
// file is replaced as a whole, and only when it differs, so that several may pack at the same time.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { transformSync } from 'esbuild'

const HERE = import.meta.dirname
const ESM = join(HERE, 'dist/esm')
const CJS = join(HERE, 'dist/cjs')
// For Node esbuild lists the names that a module exports, so that `import()` finds them.
const TO_CJS = { format: 'cjs', platform: 'node', target: 'node20' }

copyFileSync(join(HERE, '../../CHANGELOG.md'), join(HERE, 'CHANGELOG.md'))
const made = new Set()
removeStale()
for (const file of filesIn(ESM)) {
  const text = readFileSync(join(ESM, file), 'utf8').replace(/\n\/\/# sourceMappingURL=.*\n?$/, '\n')
  if (file.endsWith('.d.ts')) write(file, text)
  else if (file.endsWith('.js')) write(file, transformSync(text, TO_CJS).code)
}
write('package.json', '{"type":"commonjs"}\n')
for (const file of filesIn(CJS)) if (!made.has(file)) rmSync(join(CJS, file), { force: true })

/** Removes output of deleted sources, which the compiler leaves. */
function removeStale() {
  for (const file of filesIn(ESM)) {
    const source = join(HERE, 'src', file.replace(/\.(d\.ts|js)(\.map)?$/, '.ts'))
    if (!existsSync(source)) rmSync(join(ESM, file))
  }
}

function filesIn(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return names.filter((name) => /\.(ts|js|map)$/.test(name) && !/(^|\/)test-/.test(name))
}

function write(file, text) {
  const path = join(CJS, file)
  made.add(file)
  if (existsSync(path) && readFileSync(path, 'utf8') === text) return
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, text)
  renameSync(`${path}.${process.pid}`, path)
}
