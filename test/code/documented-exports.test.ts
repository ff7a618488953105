import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '../..')
const DECLARED = /^export (?:declare )?(?:async )?(?:function\*?|class|interface|type|const|let) (\w+)/
/** `export { first, type Second as Third } from './file.ts'` */
const LISTED = /^export (?:type )?\{([^}]*)\} from '(\.[^']+)'/gm
/** Allowed between an export and its doc comment. */
const BETWEEN = /^\/\/ prettier-ignore$/

test('what a package exports has a doc comment', () => {
  const entries = publicEntries()
  expect(entries).toEqual(
    expect.arrayContaining(['packages/store/src/deliveries/index.ts', 'packages/sdk/src/index.ts']),
  )
  expect(entries.flatMap((entry) => undocumented(entry, readSource))).toEqual([])
})

test('an export without one is found where it is declared; what no entry names needs none', () => {
  const files: Readonly<Record<string, string>> = {
    'a/index.ts': `export { add } from './add.ts'\nexport {\n  LIMIT,\n  type Sum as Total,\n} from './parts/index.ts'\n`,
    'a/add.ts': '/** Adds. */\nexport function add(a: number): number\nexport function add(a: string): string\n',
    'a/parts/index.ts': `export { LIMIT, type Sum } from './limit.ts'\n\nexport const here = 1\n`,
    'a/parts/limit.ts':
      '/** Of a sum. */\nexport interface Sum {}\n\nexport const LIMIT = 1\n\nexport const unnamed = 1\n',
  }
  expect(undocumented('a/index.ts', (path) => files[path] ?? '')).toEqual(['a/parts/limit.ts: LIMIT'])
})

type Exports = Readonly<Record<string, string | Readonly<Record<string, unknown>>>>

/** The source files that `exports` of each package.json names. */
function publicEntries(): readonly string[] {
  // The SDK for Python has none.
  const manifests = ['packages', 'services', 'dev']
    .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}/package.json`))
    .filter((manifest) => existsSync(join(ROOT, manifest)))
  return manifests.flatMap((manifest) => {
    const { exports = {} } = JSON.parse(readSource(manifest)) as { readonly exports?: Exports }
    return Object.values(exports).flatMap((entry) => {
      const source = typeof entry === 'string' ? entry : (entry['source'] ?? entry['@ariftly/source'])
      return String(source).endsWith('.ts') ? [join(dirname(manifest), String(source))] : []
    })
  })
}

/** Exports of a file without a doc comment, its own and what it takes from other files; of all names, or of some. */
function undocumented(path: string, read: (path: string) => string, names?: ReadonlySet<string>): readonly string[] {
  const text = read(path)
  const own = undocumentedIn(text).filter((name) => names?.has(name) ?? true)
  const listed = [...text.matchAll(LISTED)].flatMap(([, list = '', from = '']) => {
    const pairs = list.split(',').map((item) =>
      item
        .trim()
        .replace(/^type /, '')
        .split(' as '),
    )
    const asked = pairs.flatMap(([name = '', as = name]) => ((names?.has(as) ?? true) ? [name] : []))
    return undocumented(normalize(join(dirname(path), from)), read, new Set(asked))
  })
  return [...own.map((name) => `${path}: ${name}`), ...listed]
}

/** Names of exports without a doc comment; the first overload of a function has the comment of all. */
function undocumentedIn(text: string): readonly string[] {
  const names: string[] = []
  let before = ''
  for (const line of text.split('\n')) {
    const name = DECLARED.exec(line)?.[1]
    if (name !== undefined && !before.endsWith('*/') && DECLARED.exec(before)?.[1] !== name) names.push(name)
    if (line.trim() !== '' && !BETWEEN.test(line)) before = line
  }
  return names
}

function readSource(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}
