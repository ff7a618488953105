import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { GUIDES } from '@ariftly/api-documents'
import { describe, expect, test } from '@jest/globals'
import { ROOT } from '../docs/markdown.ts'
import { imageFiles, readImageBuild, type ImageBuild } from './image-files.ts'

/** What may be in the image of ours. */
const SHIPPED = [
  /^(package|package-lock)\.json$/,
  /^\.npmrc$/,
  /^(packages|services)\/[^/]+\/package\.json$/,
  /^(packages|services)\/[^/]+\/dist\/.+\.(js|d\.ts)(\.map)?$/,
  /^packages\/store\/migrations\/[^/]+\.sql$/,
  /^services\/api\/assets\/(reference\.(js\.gz|json)|favicon\.ico)$/,
  /^(docs\/[\w-]+|packages\/sdk(-python)?\/README)\.md$/,
  /^packages\/console\/dist\/app\/(index\.html|assets\/[\w.-]+)$/,
  /^deploy\/image\/(entrypoint\.sh|healthcheck\.mjs)$/,
  /^schemas\/.+\.json$/,
]

/** Tests and their helpers, also compiled, and the packages of development. */
const DEVELOPMENT = /\.test\.|(^|\/)test-[^/]*$|^dev\/|^packages\/(sdk(-python)?\/(?!README\.md$)|cli\/)/

const isMisplaced = (path: string) => DEVELOPMENT.test(path) || !SHIPPED.some((pattern) => pattern.test(path))

const build = readImageBuild()
const files = imageFiles(build)

const misplaced = (changed: Partial<ImageBuild>) => imageFiles({ ...build, ...changed }).filter(isMisplaced)

describe('the image', () => {
  test('has no test, no test helper, no source and no tool of development', () => {
    expect(files.filter(isMisplaced)).toEqual([])
  })

  test('has each program that its entry point starts, and what the programs read', () => {
    const entry = readFileSync(join(ROOT, 'deploy/image/entrypoint.sh'), 'utf8')
    const services = /^ {2}([\w |-]+)\) main=services\/\$command\/dist\/main\.js/m.exec(entry)?.[1]?.split(' | ') ?? []
    const others = [...entry.matchAll(/main=(services\/[\w/-]+\.js)/g)].map(([, path]) => path)
    expect(services.length + others.length).toBeGreaterThan(9)
    expect(files).toEqual(
      expect.arrayContaining([
        ...services.map((name) => `services/${name}/dist/main.js`),
        ...others,
        'deploy/image/entrypoint.sh',
        'schemas/openapi.json',
        'packages/console/dist/app/index.html',
        'services/api/assets/reference.js.gz',
        ...GUIDES.map(({ source }) => source),
        'packages/store/migrations/0001_schema.sql',
      ]),
    )
  })

  test('a helper that is compiled, a source that is not removed and a package of development would be found', () => {
    const compiled = { tsconfig: build.tsconfig.replace('src/**/test-*.ts', 'src/**/none.ts') }
    const sent = { dockerignore: build.dockerignore.replace('**/test-*.ts\n', '') }
    expect(misplaced({ ...compiled, ...sent })).toContain('packages/http/dist/server/test-server.js')
    expect(misplaced({ dockerfile: build.dockerfile.replace('-name src -o ', '') })).toContain(
      'packages/http/src/index.ts',
    )
    const copied = { dockerfile: build.dockerfile.replace('COPY schemas', 'COPY dev dev\nCOPY schemas') }
    expect(misplaced({ ...copied, dockerignore: `${build.dockerignore}!dev\n**/node_modules\n**/dist\n` })).toContain(
      'dev/testkit/package.json',
    )
  })

  test('a line whose effect is not known would be found', () => {
    expect(() => misplaced({ dockerfile: `${build.dockerfile}RUN npm run build\n` })).toThrow('npm run build')
  })
})
