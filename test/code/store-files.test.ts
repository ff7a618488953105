import { readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from '@jest/globals'
import { sourceFiles } from './source-files.ts'

const ROOT = join(import.meta.dirname, '../..')
const STORE = 'packages/store'
const IMPORT = /^(?:import|export)\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'([^']+)'/gm

const files = new Map(
  sourceFiles()
    .filter(({ path }) => /^(packages|services)\//.test(path) && !/\/test-[^/]*$/.test(path))
    .map(({ path, text }) => [path, text]),
)
const { exports } = JSON.parse(readFileSync(join(ROOT, STORE, 'package.json'), 'utf8')) as {
  readonly exports: Readonly<Record<string, { readonly source: string }>>
}

const isOfStore = (path: string): boolean => path.startsWith(`${STORE}/`)

/** The files in which what a file imports from the store is declared, whichever `index.ts` it is exported by. */
function storeImports(path: string): readonly string[] {
  return [...(files.get(path) ?? '').matchAll(IMPORT)].flatMap(([, names = '', specifier = '']) => {
    const entry = exports[specifier.replace('@ariftly/store', '.')]?.source
    const target = specifier.startsWith('.') ? join(dirname(path), specifier) : entry && join(STORE, entry)
    if (target?.startsWith(STORE) !== true) return []
    if (!target.endsWith('/index.ts')) return [normalize(target)]
    return names.split(',').flatMap((item) => declaredIn(target, item))
  })
}

function declaredIn(index: string, item: string): readonly string[] {
  const name = item.trim().replace(/^type /, '')
  return [...(files.get(index) ?? '').matchAll(IMPORT)].flatMap(([, names = '', specifier = '']) =>
    names.split(',').some((one) => one.trim() === name) && name !== '' ? [join(dirname(index), specifier)] : [],
  )
}

/** The services, and packages other than the store, that need each of its files, by way of others too. */
function usersOfStore(): ReadonlyMap<string, ReadonlySet<string>> {
  const users = new Map(
    [...files.keys()]
      .filter((path) => isOfStore(path) && !path.endsWith('/index.ts'))
      .map((path) => [path, new Set<string>()]),
  )
  function add(path: string, user: string): void {
    for (const imported of storeImports(path)) {
      const known = users.get(imported)
      if (known === undefined || known.has(user)) continue
      known.add(user)
      add(imported, user)
    }
  }
  for (const path of files.keys()) if (!isOfStore(path)) add(path, path.split('/').slice(0, 2).join('/'))
  return users
}

test('each file of the store serves two services or another package: what one service uses is in that service', () => {
  const alone = [...usersOfStore()].filter(
    ([, users]) => users.size < 2 && ![...users].some((user) => user.startsWith('packages/')),
  )
  expect(alone.map(([path, users]) => `${path}: ${[...users].join() || 'nobody'}`)).toEqual([])
})

test('what is used by way of an index or of another file is found', () => {
  const users = usersOfStore()
  expect(users.get('packages/store/src/tenants/deleted-tenants.ts')).toContain('services/api')
  expect(users.get('packages/store/src/prepared.ts')).toContain('services/ingest')
  expect(users.size).toBeGreaterThan(30)
})
