import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROUTES } from '@ariftly/http'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { testFolder } from '@ariftly/testkit'
import { runPython } from '../support/python.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { makeResources } from './schemathesis/make-resources.ts'

const FOLDER = join(import.meta.dirname, 'schemathesis')
const PACKAGES = ['schemathesis==4.32.5', 'hypothesis==6.170.17', 'jsonschema-rs==0.60.3']
const SCOPES = ['events:write', 'events:read', 'webhooks', 'admin']
/** `npm run test:long -- --only schemathesis` runs for minutes; otherwise the same cases each time, however long they take. */
const MINUTES = Number(process.env['SCHEMATHESIS_MINUTES'] ?? '0')
const LONG = ['--phases', 'examples,coverage,fuzzing,stateful', '--max-examples', '1000']
const AMOUNT =
  MINUTES > 0
    ? [...LONG, '--max-time', String(MINUTES * 60)]
    : ['--phases', 'examples,coverage', '--generation-deterministic']
const TIMEOUT_MS = 420_000 + MINUTES * 120_000
/** In all data of a tenant of which no key of the run may see anything. */
const MARK = 'only-for-the-third-tenant'

let system: Standalone
let folder: string

beforeAll(async () => {
  system = await startStandalone()
  folder = testFolder('schemathesis')
})
afterAll(async () => {
  await system?.close()
})

function userOf(name: string, key: string) {
  return { name, fixedHeaders: [{ name: 'Authorization', value: `Bearer ${key}` }] }
}

async function idOf(key: string): Promise<string> {
  const answer = await system.request('/v1/api-keys/current', { headers: { authorization: `Bearer ${key}` } })
  return ((await answer.json()) as { id: string }).id
}

test(
  'schemathesis, which makes requests and checks answers by the served document, finds nothing',
  async () => {
    for (const file of ['schemathesis.toml', 'hooks.py']) copyFileSync(join(FOLDER, file), join(folder, file))
    const [one, two, third] = await Promise.all(['one', 'two', 'third'].map((name) => system.apiKeyOf(name, SCOPES)))
    if (one === undefined || two === undefined || third === undefined) throw new Error('There are three keys.')
    writeFileSync(join(folder, 'users.json'), JSON.stringify({ auth: [userOf('one', one), userOf('two', two)] }))
    const env = {
      OWN_IDS: JSON.stringify(await makeResources(system, { tenant: 'one', key: one, text: 'own' })),
      FOREIGN_IDS: JSON.stringify(await makeResources(system, { tenant: 'third', key: third, text: MARK })),
      FOREIGN_MARK: MARK,
      KEPT_KEYS: JSON.stringify([await idOf(one), await idOf(two)]),
    }
    const seed = process.env['TEST_SEED'] ?? '1'
    const args = ['-m', 'schemathesis.cli', '--config-file', join(folder, 'schemathesis.toml'), 'run']
    args.push(`${system.url}/openapi.json`, '--url', system.url, '--seed', seed, '--continue-on-failure', '--no-color')
    // One worker: threads that parse at the same time are an error of Python 3.11 itself.
    args.push('--workers', '1', '--warnings', 'off', ...AMOUNT)
    const report = await runPython({ args, packages: PACKAGES, env, cwd: folder }, TIMEOUT_MS).catch(
      (error: { readonly stdout?: string; readonly message: string }) => `${error.stdout ?? ''}\n${error.message}`,
    )
    // What it says of failures is the reason to run it.
    expect(report).toMatch(/No issues found/)
    const offered = JSON.parse(readFileSync(join(folder, 'offered.json'), 'utf8')) as object
    const withId = ROUTES.filter(({ path }) => /^\/v1\/(?!tenants).*\{/.test(path))
    const expected = withId.map(({ method, path }) => `${method} ${path}`)
    expect(Object.keys(offered)).toEqual(expect.arrayContaining(expected))
    // The keys of the run have lived to its end.
    expect(await Promise.all([one, two].map(idOf))).toEqual([expect.any(String), expect.any(String)])
  },
  TIMEOUT_MS + 60_000,
)
