import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize, relative } from 'node:path'
import { ROOT } from '../docs/markdown.ts'

/** What a build of the image reads, as text. */
export interface ImageBuild {
  readonly dockerfile: string
  readonly dockerignore: string
  /** `tsconfig.base.json`. */
  readonly tsconfig: string
}

/** What the build of this checkout reads. */
export function readImageBuild(): ImageBuild {
  return {
    dockerfile: readText('Dockerfile'),
    dockerignore: readText('.dockerignore'),
    tsconfig: readText('tsconfig.base.json'),
  }
}

/**
 * Which of our files the image has, relative to its `/app`: follows the COPY and RUN lines of each stage, without docker. What npm
 * installs is left out.
 * @throws Error for a line whose effect on our files is not known here.
 */
export function imageFiles(build: ImageBuild): readonly string[] {
  const isExcluded = readExcluded(build.tsconfig)
  const stages = new Map<string, Stage>()
  let stage: Stage = new Set()
  const context = new Set(filesOf('.', readPatterns(build.dockerignore.split('\n'))))
  for (const [, name, rest = ''] of instructionsOf(build.dockerfile)) {
    if (name === 'FROM') {
      stage = new Set()
      stages.set(/ AS (\S+)$/.exec(rest)?.[1] ?? 'image', stage)
    } else if (name === 'COPY') {
      const from = /--from=(\S+)/.exec(rest)?.[1]
      copy(rest, from === undefined ? context : stages.get(from), stage)
    } else if (name === 'RUN') {
      for (const command of rest.replaceAll(/--mount=\S+ /g, '').split(' && ')) run(command.trim(), stage, isExcluded)
    }
  }
  return [...stage]
}

/** Paths of files, relative to `/app`. */
type Stage = Set<string>

function instructionsOf(dockerfile: string) {
  const text = dockerfile.replaceAll(/^#.*\n/gm, '').replaceAll(/\\\n\s*/g, '')
  return text.matchAll(/^([A-Z]+) (.+)$/gm)
}

/** Patterns of a `.dockerignore` or of `exclude`: one that matches a folder is for all in it, and the last one that matches counts. */
function readPatterns(lines: readonly string[]): (path: string) => boolean {
  const rules = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const glob = line.replace(/^!/, '').replaceAll('.', '\\.').replaceAll('**/', '(?:.+/)?').replaceAll('*', '[^/]*')
      return { isKept: line.startsWith('!'), pattern: new RegExp(`^${glob}(?:/|$)`) }
    })
  return (path) => rules.findLast(({ pattern }) => pattern.test(path))?.isKept === false
}

/** Never sent to a build, and large. */
const SKIPPED = /^(node_modules|dist|\.git|\.cache|\.data)$/

function filesOf(folder: string, isIgnored: (path: string) => boolean): readonly string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (!entry.isDirectory()) return isIgnored(path) ? [] : [path]
    if (!SKIPPED.test(entry.name)) return filesOf(path, isIgnored)
    if (!isIgnored(path)) throw new Error(`${path} is sent to the build of the image`)
    return []
  })
}

function copy(args: string, from: Stage = new Set(), to: Stage): void {
  const words = args.split(' ').filter((word) => !word.startsWith('--'))
  const target = words.pop() ?? ''
  for (const word of words) {
    const source = word.startsWith('/app') ? relative('/app', word) : word
    if (from.has(source)) to.add(normalize(join(target, source.replace(/^.*\//, ''))))
    // Of a folder its content is copied.
    const inside = [...from].filter((path) => source === '' || path.startsWith(`${source}/`))
    for (const path of inside) to.add(normalize(join(target, relative(source, path))))
  }
}

/** Commands of Debian and npm, and those on other folders: they do nothing to our files. */
const WITHOUT_EFFECT = /^(apt-get|npm ci|rm -rf \/|mkdir \/|chown [\d:]+ \/)/

function run(command: string, stage: Stage, isExcluded: (path: string) => boolean): void {
  const projects = /^npx tsc -b ([\w/ -]+)$/.exec(command)?.[1]?.split(' ')
  const folders =
    /^find packages services -type d \\\( (-name [\w.-]+(?: -o -name [\w.-]+)*) \\\) -prune -exec rm -rf \{\} \+$/.exec(
      command,
    )
  const bundle = /^npx vite build ([\w/-]+)$/.exec(command)?.[1]
  const removed = /^rm -rf ([\w./-]+(?: [\w./-]+)*)$/.exec(command)?.[1]?.split(' ')
  const file = /^find packages services -name '([\w.-]+)' -delete$/.exec(command)
  if (projects !== undefined) {
    for (const project of withReferences(projects)) compile(project, stage, isExcluded)
  } else if (bundle !== undefined) {
    // The names of assets hold hashes: one is enough.
    for (const name of ['index.html', 'assets/index.js']) stage.add(join(bundle, 'dist/app', name))
  } else if (removed !== undefined && removed.every((path) => !path.startsWith('/'))) {
    remove(stage, (path) => removed.some((each) => path === each || path.startsWith(`${each}/`)))
  } else if (folders !== null) {
    const names = (folders[1] ?? '').replaceAll(/-o |-name /g, '').split(' ')
    remove(stage, (path) => path.split('/').some((part) => names.includes(part)))
  } else if (file !== null) {
    remove(stage, (path) => path.endsWith(`/${file[1]}`))
  } else if (!WITHOUT_EFFECT.test(command)) {
    throw new Error(`What does this do to the files of the image? ${command}`)
  }
}

/** In the two folders that every `find` of the Dockerfile names. */
function remove(stage: Stage, isRemoved: (path: string) => boolean): void {
  for (const path of stage) if (/^(packages|services)\//.test(path) && isRemoved(path)) stage.delete(path)
}

interface Project {
  readonly references?: readonly { readonly path: string }[]
  readonly compilerOptions?: { readonly outDir?: string }
}

function withReferences(projects: readonly string[]): ReadonlySet<string> {
  const all = new Set<string>(projects)
  // Iterating a set includes what is added meanwhile.
  for (const project of all) for (const { path } of readProject(project).references ?? []) all.add(join(project, path))
  return all
}

/** @throws Error for a project with its own list of files: all use the common configuration's. */
function readProject(project: string): Project {
  const config = JSON.parse(readText(join(project, 'tsconfig.json'))) as Project
  if ('include' in config || 'exclude' in config || 'files' in config) throw new Error(`${project} names files`)
  return config
}

function readExcluded(tsconfig: string): (path: string) => boolean {
  const { include, exclude } = JSON.parse(tsconfig) as Readonly<Record<'include' | 'exclude', readonly string[]>>
  if (include.join() !== '${configDir}/src') throw new Error('tsconfig.base.json takes other folders than src')
  return readPatterns(exclude.map((pattern) => pattern.replace('${configDir}/', '')))
}

/** Adds what the compiler emits for a project. */
function compile(project: string, stage: Stage, isExcluded: (path: string) => boolean): void {
  const dist = join(project, readProject(project).compilerOptions?.outDir ?? 'dist')
  const sources = [...stage].filter(
    (path) => path.startsWith(`${project}/src/`) && path.endsWith('.ts') && !isExcluded(path.slice(project.length + 1)),
  )
  for (const source of sources) {
    const emitted = join(dist, source.slice(`${project}/src/`.length, -'.ts'.length))
    for (const extension of ['.js', '.js.map', '.d.ts', '.d.ts.map']) stage.add(emitted + extension)
  }
  stage.add(join(dist, '.tsbuildinfo'))
}

function readText(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8')
}
