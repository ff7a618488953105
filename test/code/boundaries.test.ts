import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const ROOT = join(import.meta.dirname, '../..')

/** What only these packages may list among their dependencies. */
const OWNERS: Readonly<Record<string, readonly string[]>> = {
  kafkajs: ['@ariftly/kafka'],
  'node-pg-migrate': ['@ariftly/store'],
  undici: ['@ariftly/egress'],
  bullmq: ['@ariftly-services/webhook-worker'],
  '@ariftly/http-fast-path': ['@ariftly-services/ingest'],
}

/** Published as one file that holds what they import: they may import what is listed for development. */
const BUNDLED: ReadonlySet<string> = new Set(['@ariftly/cli', '@ariftly/console'])
/** Services that a folder of `dev` may depend on. */
const SERVICES_OF: Readonly<Record<string, readonly string[]>> = {
  'dev/start': ['@ariftly-services/standalone'],
  'dev/api-documents': ['api', 'ingest', 'stream-gateway'].map((name) => `@ariftly-services/${name}`),
}

interface Manifest {
  readonly name: string
  readonly dependencies?: Readonly<Record<string, string>>
  readonly devDependencies?: Readonly<Record<string, string>>
}

interface Import {
  /** Path from the root of the repository. */
  readonly file: string
  readonly specifier: string
}

const manifestOf = (folder: string): Manifest =>
  JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as Manifest
const root = manifestOf('.')
// The SDK for Python is no workspace.
const workspaces = ['packages', 'services', 'dev']
  .flatMap((parent) => readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`))
  .filter((folder) => existsSync(join(ROOT, folder, 'package.json')))
const names = new Set(workspaces.map((folder) => manifestOf(folder).name))

const dependenciesOf = (manifest: Manifest): string[] => Object.keys(manifest.dependencies ?? {})

/** `@scope/name/path` and `name/path` without the path. */
const packageOf = (specifier: string): string =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')

function importsOf(folder: string): Import[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !/(^|\/)(node_modules|dist)\//.test(name))
    .flatMap((name) => {
      const file = join(folder, name)
      const text = readFileSync(join(ROOT, file), 'utf8')
      return [...text.matchAll(/^(?:import|export)\s(?:[^'"()=;]*?\sfrom\s)?'([^']+)'|\bimport\('([^']+)'/gm)].map(
        ([, named, dynamic]) => ({ file, specifier: named ?? dynamic ?? '' }),
      )
    })
}

/** Tests, and helpers of tests next to the code (`test-*.ts`). */
const isTest = (file: string): boolean => /\.test\.ts$|\/test-[^/]*\.ts$/.test(file)

/** Why `file` of the workspace in `folder` may not import `specifier`; null if it may. */
function violation(folder: string, { file, specifier }: Import): string | null {
  if (isBuiltin(specifier)) return null
  if (specifier.startsWith('.')) {
    const target = relative(join(ROOT, folder), resolve(ROOT, file, '..', specifier))
    return target.startsWith('..') ? `${file} reaches ${specifier}, outside its package` : null
  }
  const manifest = manifestOf(folder)
  const wanted = packageOf(specifier)
  if (dependenciesOf(manifest).includes(wanted)) return null
  if (BUNDLED.has(manifest.name) && Object.hasOwn(manifest.devDependencies ?? {}, wanted)) return null
  const forTests = [...Object.keys(root.devDependencies ?? {}), ...Object.keys(manifest.devDependencies ?? {})]
  const isService = wanted.startsWith('@ariftly-services/')
  if (isTest(file) && !isService && (names.has(wanted) || forTests.includes(wanted))) return null
  return `${file} imports ${specifier}, which is not a dependency of ${manifest.name}`
}

/** What each file imports of its own package, each under the name that `nameOf` gives it; tests and files without one left out. */
function importedIn(
  folder: string,
  nameOf: (file: string) => string | undefined,
): ReadonlyMap<string, ReadonlySet<string>> {
  const imported = new Map<string, Set<string>>()
  for (const { file, specifier } of importsOf(`${folder}/src`)) {
    if (!specifier.startsWith('.') || isTest(file)) continue
    const from = nameOf(file)
    const to = nameOf(relative(ROOT, resolve(ROOT, file, '..', specifier)))
    if (from === undefined || to === undefined || from === to) continue
    imported.set(from, (imported.get(from) ?? new Set()).add(to))
  }
  return imported
}

/** The names on the way from `name` back to itself; none if there is no such way. */
function circleOf(name: string, imported: ReadonlyMap<string, ReadonlySet<string>>): readonly string[] {
  const ways: (readonly string[])[] = [[name]]
  const seen = new Set<string>()
  for (let way = ways.pop(); way !== undefined; way = ways.pop()) {
    for (const next of imported.get(way.at(-1) ?? '') ?? []) {
      if (next === name) return way
      if (seen.has(next)) continue
      seen.add(next)
      ways.push([...way, next])
    }
  }
  return []
}

const fromEvents = (file: string, specifier: string) => violation('packages/events', { file, specifier })

describe('boundaries', () => {
  test.each(workspaces)('%s imports only what its package.json declares', (folder) => {
    const imports = importsOf(`${folder}/src`)
    expect(imports.length).toBeGreaterThan(0)
    expect(imports.map((one) => violation(folder, one)).filter((text) => text !== null)).toEqual([])
  })

  test.each(workspaces)('%s has no file that imports itself by way of others, not even for a type', (folder) => {
    const imported = importedIn(folder, (file) => file)
    expect([...imported.keys()].flatMap((file) => circleOf(file, imported))).toEqual([])
  })

  test.each(workspaces)('%s has no folder that imports itself by way of others', (folder) => {
    // Of `<parent>/<name>/src/<folder>/…`; files outside the folders compose them, or are imported by them.
    const imported = importedIn(folder, (file) => file.split('/').slice(3, -1)[0])
    expect([...imported.keys()].flatMap((name) => circleOf(name, imported))).toEqual([])
  })

  test('tests and benches import packages by their names', () => {
    const imports = ['test', 'bench'].flatMap(importsOf)
    expect(imports.length).toBeGreaterThan(100)
    expect(imports.filter(({ specifier }) => /^(\.\.\/)+(packages|services|dev)\//.test(specifier))).toEqual([])
  })

  test('only standalone composes services, dev/start takes standalone, and the documents their examples', () => {
    for (const folder of workspaces.filter((name) => name !== 'services/standalone')) {
      const services = dependenciesOf(manifestOf(folder)).filter((name) => name.startsWith('@ariftly-services/'))
      expect({ folder, services }).toEqual({ folder, services: SERVICES_OF[folder] ?? [] })
    }
    const documents = importsOf('dev/api-documents/src').filter(({ specifier }) => specifier.includes('-services/'))
    expect(documents.filter(({ specifier }) => !specifier.endsWith('/answers'))).toEqual([])
  })

  test('packages and services depend on nothing of dev', () => {
    const development = workspaces
      .filter((folder) => folder.startsWith('dev/'))
      .map((folder) => manifestOf(folder).name)
    expect(development.length).toBeGreaterThan(2)
    for (const folder of workspaces.filter((name) => !name.startsWith('dev/'))) {
      const used = dependenciesOf(manifestOf(folder)).filter((name) => development.includes(name))
      expect({ folder, used }).toEqual({ folder, used: [] })
    }
  })

  test.each(Object.entries(OWNERS))('%s is a dependency of its owner alone', (library, owners) => {
    const users = workspaces.map(manifestOf).filter((manifest) => dependenciesOf(manifest).includes(library))
    expect(users.map(({ name }) => name)).toEqual(owners)
  })

  test('an undeclared package, a service in a test and a path out of the package are found', () => {
    expect(fromEvents('packages/events/src/one.ts', 'pg')).toContain('not a dependency of @ariftly/events')
    expect(fromEvents('packages/events/src/one.ts', '@ariftly/store/events')).not.toBeNull()
    expect(fromEvents('packages/events/src/one.test.ts', '@ariftly/store/events')).toBeNull()
    expect(fromEvents('packages/events/src/one.test.ts', '@ariftly-services/api')).not.toBeNull()
    expect(fromEvents('packages/events/src/one.ts', '@ariftly/testkit')).not.toBeNull()
    expect(fromEvents('packages/events/src/one.test.ts', '@ariftly/testkit')).toBeNull()
    expect(fromEvents('packages/events/src/one.ts', '../../store/src/pool.ts')).toContain('outside its package')
  })
})
