import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { byForm } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { runPython } from '../support/python.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'

const FOLDER = join(import.meta.dirname, 'schemathesis')
const PACKAGES = ['schemathesis==4.32.5', 'hypothesis==6.170.17', 'jsonschema-rs==0.60.3']
const SCOPES = ['events:write', 'events:read', 'webhooks', 'admin']
/** In the short form the same cases each time, whatever the machine takes for them. */
const AMOUNT = byForm({
  short: ['--phases', 'examples,coverage', '--generation-deterministic'],
  long: ['--phases', 'examples,coverage,fuzzing,stateful', '--max-examples', '200', '--max-time', '600'],
})
const TIMEOUT_MS = byForm({ short: 240_000, long: 900_000 })

let system: Standalone
let folder: string

beforeAll(async () => {
  system = await startStandalone()
  folder = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'schemathesis-'))
})
afterAll(async () => {
  await system?.close()
})

async function userOf(name: string) {
  const key = await system.apiKeyOf(name, SCOPES)
  return { name, fixedHeaders: [{ name: 'Authorization', value: `Bearer ${key}` }] }
}

test(
  'schemathesis, which makes requests and judges answers by the served document, finds nothing',
  async () => {
    for (const file of ['schemathesis.toml', 'hooks.py']) copyFileSync(join(FOLDER, file), join(folder, file))
    writeFileSync(join(folder, 'users.json'), JSON.stringify({ auth: [await userOf('one'), await userOf('two')] }))
    const seed = process.env['TEST_SEED'] ?? '1'
    const args = ['-m', 'schemathesis.cli', '--config-file', join(folder, 'schemathesis.toml'), 'run']
    args.push(`${system.url}/openapi.json`, '--url', system.url, '--seed', seed, '--continue-on-failure', '--no-color')
    // One worker: threads that parse at the same time are an error of Python 3.11 itself.
    args.push('--workers', '1', '--warnings', 'off', ...AMOUNT)
    const env = { SACRIFICED_KEY: await system.apiKeyOf('sacrificed', SCOPES) }
    const report = await runPython({ args, packages: PACKAGES, env, cwd: folder }, TIMEOUT_MS).catch(
      (error: { readonly stdout?: string; readonly message: string }) => `${error.stdout ?? ''}\n${error.message}`,
    )
    // What it says of failures is the reason to run it.
    expect(report).toMatch(/No issues found/)
  },
  TIMEOUT_MS + 60_000,
)
