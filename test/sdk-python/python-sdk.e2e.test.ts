import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createVenv, installArgs, SDK, testVenv, type Venv } from './venv.ts'

const BUILD =
  'import sys; from flit_core import buildapi as b; print(b.build_wheel(sys.argv[1])); print(b.build_sdist(sys.argv[1]))'
const USE = `
import asyncio, importlib, pkgutil, sys
import ariftly
for module in pkgutil.walk_packages(ariftly.__path__, "ariftly."):
    if module.name not in {"ariftly.django", "ariftly.fastapi", "ariftly.flask"}:
        importlib.import_module(module.name)
with ariftly.Ariftly(base_url="http://127.0.0.1:1", api_key="k", max_retries=0) as client:
    try:
        client.events.get("evt_1")
    except ariftly.APIConnectionError as error:
        print(error.code, ariftly.__file__.startswith(sys.prefix))
`

let venv: Venv
const folder = mkdtempSync(join(tmpdir(), 'python-sdk-'))

beforeAll(async () => {
  venv = await testVenv()
}, 300_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('ruff finds nothing, and would change nothing', async () => {
  await venv.run(['-m', 'ruff', 'check', '--no-cache', '.'])
  await venv.run(['-m', 'ruff', 'format', '--no-cache', '--check', '.'])
})

test('mypy finds nothing in its strictest mode', async () => {
  expect(await venv.run(['-m', 'mypy', '--cache-dir', join(folder, 'mypy')])).toContain('Success')
})

test('its own tests pass', async () => {
  const output = await venv.run(['-m', 'pytest', '-p', 'no:cacheprovider', '-n', '2', '--dist', 'worksteal'])
  expect(output).toMatch(/^\d+ passed/m)
})

test('the wheel is installed by hash into an empty environment, and the archive of the sources makes the same wheel', async () => {
  const built = join(folder, 'built')
  mkdirSync(built)
  const [wheel = '', archive = ''] = (await venv.run(['-c', BUILD, built])).trim().split('\n')
  const again = join(folder, 'again')
  const fromArchive = ['-m', 'pip', 'wheel', '--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', again]
  await venv.run([...fromArchive, join(built, archive)])
  expect(hashOf(join(again, wheel))).toBe(hashOf(join(built, wheel)))
  copyFileSync(join(SDK, 'requirements.txt'), join(folder, 'requirements.txt'))
  const line = `${join(built, wheel)} --hash=sha256:${hashOf(join(built, wheel))}\n`
  writeFileSync(join(folder, 'requirements.txt'), line, { flag: 'a' })
  const empty = await createVenv(join(folder, 'empty'))
  await empty.run(installArgs(join(folder, 'requirements.txt')))
  expect(await empty.run(['-c', USE])).toBe('connection_failed True\n')
  const installed = await empty.run(['-c', 'import ariftly, os; print(os.path.dirname(ariftly.__file__))'])
  expect(readdirSync(installed.trim())).toContain('py.typed')
})

function hashOf(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex')
}
