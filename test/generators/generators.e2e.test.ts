import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { testFolder } from '@ariftly/testkit'
import { ROOT } from '../docs/markdown.ts'
import { runPython } from '../support/python.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { startRenamingProxy, type RenamingProxy } from './renaming-proxy.ts'

const run = promisify(execFile)
const FOLDER = join(ROOT, 'test/generators')
/** One that compiles and calls takes seconds; on a busy machine and with packages to fetch, minutes. */
const TIMEOUT_MS = 600_000
const PYTHON = ['openapi-python-client==0.29.1', 'httpx==0.28.1']
const OAPI_CODEGEN = 'github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2'

let system: Standalone
let proxy: RenamingProxy
let folder: string
/** What the running system serves. */
let document: string

beforeAll(async () => {
  system = await startStandalone()
  proxy = await startRenamingProxy(system.url, 'task.complete', 'task.archived')
  folder = testFolder('generators')
  document = join(folder, 'openapi.json')
  writeFileSync(document, await (await system.request('/openapi.json')).text())
})
afterAll(async () => {
  await proxy?.close()
  await system?.close()
})

/** What each client prints; the last event has a type that is not in the document. */
const EXPECTED = {
  statuses: ['accepted', 'accepted', 'accepted'],
  types: ['task.progress', 'session.message', 'task.archived'],
  message: 'Analyzing document',
  progress: 0.3,
  own: 1,
  later: 2,
}

test(
  'openapi-typescript makes types by which a client compiles, posts, lists and reads, also an event of a later type',
  async () => {
    const project = join(folder, 'typescript')
    mkdirSync(project)
    const modules = join(ROOT, 'tools/node_modules')
    symlinkSync(modules, join(project, 'node_modules'))
    copyFileSync(join(FOLDER, 'typescript/use-client.mts'), join(project, 'use-client.mts'))
    writeFileSync(join(project, 'package.json'), '{"type":"module"}')
    const compilerOptions = { strict: true, exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true }
    const target = { module: 'nodenext', target: 'es2023', lib: ['es2023', 'dom', 'dom.iterable'], types: [] }
    const tsconfig = { compilerOptions: { ...compilerOptions, ...target }, include: ['*.mts', '*.ts'] }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(tsconfig))
    const generator = join(modules, 'openapi-typescript/bin/cli.js')
    await run(process.execPath, [generator, document, '--output', join(project, 'generated.ts')], { cwd: project })
    await run(process.execPath, [join(ROOT, 'node_modules/typescript/bin/tsc'), '--project', project])
    const call = `import { useClient } from './use-client.mjs'
      console.log(JSON.stringify(await useClient(...process.argv.slice(1))))`
    const args = ['--input-type=module', '--eval', call, proxy.url, system.apiKey, 'typescript']
    const { stdout } = await run(process.execPath, args, { cwd: project, timeout: TIMEOUT_MS })
    expect(JSON.parse(stdout)).toEqual({ ...EXPECTED, hasLog: true, webhook: 2 })
  },
  TIMEOUT_MS,
)

test(
  'openapi-python-client makes a client that can be imported, posts, lists and reads, also an event of a later type',
  async () => {
    const project = join(folder, 'python')
    mkdirSync(project)
    // Its default runs a formatter over what it has made.
    writeFileSync(join(project, 'config.json'), '{"post_hooks":[]}')
    copyFileSync(join(FOLDER, 'python/use_client.py'), join(project, 'use_client.py'))
    const generate = ['-m', 'openapi_python_client', 'generate', '--path', document, '--config', 'config.json']
    const to = ['--meta', 'none', '--output-path', 'generated']
    await runPython({ args: [...generate, ...to], packages: PYTHON, cwd: project }, TIMEOUT_MS)
    const args = [join(project, 'use_client.py'), proxy.url, system.apiKey, 'python']
    const printed = await runPython({ args, packages: PYTHON, cwd: project }, TIMEOUT_MS)
    expect(JSON.parse(printed)).toEqual({ ...EXPECTED, isOther: true })
  },
  TIMEOUT_MS,
)

// Fetching and compiling the generator takes a minute: `npm run test:long -- --only generators`.
if (process.env['TEST_GO_CLIENT'] === '1') {
  test(
    'oapi-codegen makes a client that compiles, posts, lists and reads, also an event of a later type',
    async () => {
      const project = join(folder, 'go')
      mkdirSync(join(project, 'client'), { recursive: true })
      for (const file of ['main.go', 'go.mod', 'go.sum']) copyFileSync(join(FOLDER, 'go', file), join(project, file))
      const generated = join(project, 'client/client.go')
      const options = ['-generate', 'types,client', '-package', 'client', '-o', generated]
      await run('go', ['run', OAPI_CODEGEN, ...options, document], { cwd: folder, timeout: TIMEOUT_MS })
      const args = ['run', '.', proxy.url, system.apiKey, 'go']
      const { stdout } = await run('go', args, { cwd: project, timeout: TIMEOUT_MS })
      expect(JSON.parse(stdout)).toEqual(EXPECTED)
    },
    2 * TIMEOUT_MS,
  )
}
