import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { readPage, ROOT } from '../docs/markdown.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { testVenv, type Venv } from './venv.ts'

const README = 'packages/sdk-python/README.md'
const SECRET = 'a-signing-secret'
const BODY = '{"object":"event","id":"evt_1","type":"session.closed","data":{"session_id":"s"}}'

let system: Standalone
let venv: Venv
const folder = mkdtempSync(join(tmpdir(), 'python-reading-'))

beforeAll(async () => {
  ;[system, venv] = await Promise.all([startStandalone({}), testVenv()])
}, 300_000)

afterAll(() => system?.close())

/** The block of a page after the comment `<!-- kind: name -->`. */
function blockOf(page: string, comment: string): string {
  const block = new RegExp(`<!-- ${comment} -->\n+\`\`\`python\n([^]*?)\`\`\``).exec(readPage(page))?.[1]
  if (block === undefined) throw new Error(`${page} has no block "${comment}"`)
  return block
}

const clientEnv = () => ({ ARIFTLY_URL: system.url, ARIFTLY_API_KEY: system.apiKey, WEBHOOK_SECRET: SECRET })

/** Runs a program in the tests' folder. */
async function run(text: string, args: readonly string[] = []): Promise<string> {
  const start = 'import os, sys; os.chdir(sys.argv.pop(1)); exec(compile(sys.argv.pop(1), "block", "exec"))'
  return await venv.run(['-W', 'error', '-c', start, folder, text, ...args], clientEnv(), 30_000)
}

const post = async (...events: object[]) => await system.post('/v1/events', JSON.stringify(events), 202)

describe('the Python of the guides', () => {
  test('follows a task as docs/streaming.md prints it', async () => {
    const follow = blockOf('docs/streaming.md', 'run: follow')
    const [, task] = /task_id="(\w+)"/.exec(follow) ?? []
    let printed: string | undefined
    const following = run(follow).then((text) => (printed = text))
    // The stream has events posted after it was opened.
    await eventually('the program shows the event', async () => {
      await post({ type: 'task.complete', task_id: task, data: {} })
      return printed !== undefined
    })
    expect(await following).toBe(`task.complete {'task_id': '${task}'}\n`)
  })

  test('makes a webhook, and explains why a delivery is refused', async () => {
    expect(await run(blockOf('docs/webhooks.md', 'run: create'))).toMatch(/^whk_\w+\n$/)
    expect(await run(blockOf('docs/webhooks.md', 'run: explain'))).toContain('match failed no signature fits')
  })

  test('verifies a delivery as the README prints it', async () => {
    const given = `body, secret, former_secret = ${JSON.stringify(BODY)}, "${SECRET}", "another-secret"\n`
    const printed = await run(given + blockOf(README, 'delivery: unwrap'))
    expect(printed.split('\n').slice(0, 3)).toEqual([
      'session.closed evt_1',
      'standard headers passed all three are there',
      expect.stringContaining('standard time passed'),
    ])
  })
})

test('the worker of the examples follows a task to its end, and continues when it is started again', async () => {
  const task = 'task_python_worker'
  await post(
    ...[1, 2].map((n) => ({ type: 'task.progress', task_id: task, data: { message: `Page ${n}`, progress: n / 4 } })),
    { type: 'task.failed', task_id: task, data: { error: { code: 'e', message: 'm', retryable: false } } },
  )
  const worker = `import runpy; runpy.run_path(${JSON.stringify(join(ROOT, 'examples/python/worker.py'))})`
  expect(await run(worker, [task])).toBe('Page 1 (25%)\nPage 2 (50%)\ntask.failed\n')
  await post({ type: 'task.complete', task_id: task, data: {} })
  expect(await run(worker, [task])).toBe('task.complete\n')
})

/** Posts to the application of a file: a signed delivery, the same with another id, and one that is not signed. */
const POSTS = `
import asyncio, runpy, sys
import httpx2
from ariftly.webhooks import sign
app = runpy.run_path(sys.argv[1])["app"]
body = sys.argv[2]
headers = sign(body, "${SECRET}")
async def main():
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
        for each in (headers, {**headers, "webhook-id": "evt_2"}, {}):
            print((await client.post("/ariftly-webhook", content=body, headers=each)).status_code)
asyncio.run(main())
`

test.each([
  ['the example', () => readPage('examples/python/receiver_fastapi.py')],
  ['the README', () => blockOf(README, 'receiver: fastapi')],
  ['docs/webhooks.md', () => blockOf('docs/webhooks.md', 'receiver: fastapi')],
])('the receiver of %s prints what is delivered, and refuses what is not signed', async (_, text) => {
  const file = join(folder, 'receiver.py')
  writeFileSync(file, text())
  expect(await run(POSTS, [file, BODY])).toMatch(/^.*session\.closed.*\n204\n401\n401\n$/)
})
