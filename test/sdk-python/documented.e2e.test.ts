import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { readPage, ROOT } from '../docs/markdown.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { testVenv, type Venv } from './venv.ts'

/** Pages with blocks in Python. A block after a comment `<!-- run: name -->` is a program that ends, and is run. */
const PAGES = ['packages/sdk-python/README.md', 'docs/ingest.md', 'docs/streaming.md', 'docs/webhooks.md']
const BLOCK = /(?:<!-- (run|ids): (\S+) -->\s*)?^```python\n([^]*?)^```$/gm
/** What a block may use that it does not make. */
const GIVEN = `
import ariftly
import ariftly.webhooks
client = ariftly.Ariftly()
secret, former_secret = "whsec_" + "c2VjcmV0" * 4, "whsec_" + "Zm9ybWVy" * 4
body = b'{"id":"evt_1","type":"task.progress","data":{"message":"m"}}'
headers = ariftly.webhooks.sign(body, secrets=secret)
`

let system: Standalone
let venv: Venv
const folder = mkdtempSync(join(tmpdir(), 'python-documented-'))

beforeAll(async () => {
  ;[system, venv] = await Promise.all([startStandalone({}), testVenv()])
  const posts = ['task.progress', 'task.complete'].map((type) => ({
    type,
    task_id: 'task_1',
    data: type === 'task.progress' ? { message: 'Analyzing document' } : {},
  }))
  await system.post('/v1/events', JSON.stringify(posts), 202)
}, 300_000)

afterAll(() => system?.close())

const clientEnv = () => ({
  ARIFTLY_URL: system.url,
  ARIFTLY_API_KEY: system.apiKey,
  WEBHOOK_SECRET: 'a-secret-of-tests',
})

/** Posts that a task is complete. */
async function completes(task: string): Promise<undefined> {
  await system.post('/v1/events', JSON.stringify({ type: 'task.complete', task_id: task, data: {} }), 202)
}

interface Block {
  readonly name: string | undefined
  readonly text: string
}

function blocksOf(page: string): readonly Block[] {
  return [...readPage(page).matchAll(BLOCK)].map(([, kind, name, text = '']) => ({
    name: kind === 'run' ? name : undefined,
    text,
  }))
}

/** Runs a program in the folder of its page: positions and spools are there. */
async function run(page: string, file: string, text: string): Promise<string> {
  const own = join(folder, basename(page))
  mkdirSync(own, { recursive: true })
  writeFileSync(join(own, file), text)
  const start = `import os, runpy, sys; os.chdir(sys.argv[1]); runpy.run_path(sys.argv[2], run_name='__main__')`
  return await venv.run(['-W', 'error', '-c', start, own, file], clientEnv(), 30_000)
}

describe.each(PAGES)('the Python of %s', (page) => {
  const blocks = blocksOf(page)
  const named = blocks.flatMap(({ name, text }) => (name === undefined ? [] : [{ name, text }]))

  test('is Python', async () => {
    expect(blocks.length).toBeGreaterThan(0)
    const texts = JSON.stringify(JSON.stringify(blocks.map(({ text }) => text)))
    await run(
      page,
      'parse.py',
      `import ast, json
for text in json.loads(${texts}): ast.parse(text)
`,
    )
  })

  test.each(named)('$name', async ({ name, text }) => {
    const given = /\bas client\b|^client = /m.test(text) ? '' : GIVEN
    const end = name === 'signal' ? '\nsignal.raise_signal(signal.SIGTERM)\n' : ''
    let hasEnded = false
    const running = run(page, `block-${name}.py`, given + text + end).finally(() => (hasEnded = true))
    // A stream has events that are posted after it was opened.
    const [, task] = name === 'follow' ? (/task_id="(\w+)"/.exec(text) ?? []) : []
    if (task !== undefined) await eventually('the program has followed its task', () => hasEnded || completes(task))
    await running
  })
})

test('the agent of the examples reports its task and its calls of tools', async () => {
  const task = 'task_python_agent'
  await venv.run([join(ROOT, 'examples/python/agent.py'), task], clientEnv())
  const types = await eventually('its events are listed', async () => {
    const answer = await system.request(`/v1/events?task_id=${task}&order=asc`)
    const { data } = (await answer.json()) as { readonly data: readonly { readonly type: string }[] }
    if (data.length < 8) throw new Error(`${data.length} events: ${JSON.stringify(data)}`)
    return data.map(({ type }) => type)
  })
  const page = ['tool_call.executed', 'task.progress']
  expect(types).toEqual(['task.created', ...page, ...page, ...page, 'task.complete'])
})

test('the worker of the examples follows a task to its end, and continues when it is started again', async () => {
  const task = 'task_python_worker'
  const progress = [1, 2].map((n) => ({
    type: 'task.progress',
    task_id: task,
    data: { message: `Page ${n}`, progress: n / 4 },
  }))
  const failed = { type: 'task.failed', task_id: task, data: { error: { message: 'm' } } }
  await system.post('/v1/events', JSON.stringify([...progress, failed]), 202)
  const work = async () => {
    const path = JSON.stringify(join(ROOT, 'examples/python/worker.py'))
    return await run('worker', 'worker.py', `import runpy, sys; sys.argv[1:] = ["${task}"]; runpy.run_path(${path})`)
  }
  expect(await work()).toBe('Page 1 (25%)\nPage 2 (50%)\ntask.failed\n')
  await completes(task)
  expect(await work()).toBe('task.complete\n')
})

/** Posts to the application of `receiver.py`: a signed delivery, the same with another id, and one that is not signed. */
const POSTS = `
import asyncio, os
import httpx2
from ariftly.webhooks import sign
from receiver import app
body = '{"object":"event","id":"evt_1","type":"session.closed","data":{"session_id":"s"}}'
headers = sign(body, os.environ["WEBHOOK_SECRET"])
async def main():
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://test") as client:
        for each in (headers, {**headers, "webhook-id": "evt_2"}, {}):
            print((await client.post("/ariftly-webhook", content=body, headers=each)).status_code)
asyncio.run(main())
`

test.each([
  ['examples/python/receiver_fastapi.py', readPage],
  ['packages/sdk-python/README.md', receiverOf],
  ['docs/webhooks.md', receiverOf],
])('the receiver of %s prints what is delivered, and refuses what is not signed', async (page, textOf) => {
  await run(`receiver of ${basename(page)}`, 'receiver.py', textOf(page))
  const printed = await run(`receiver of ${basename(page)}`, 'posts.py', `import sys; sys.path.insert(0, "")\n${POSTS}`)
  expect(printed).toMatch(/^.*session\.closed.*\n204\n401\n401\n$/)
})

function receiverOf(page: string): string {
  const text = /<!-- receiver: fastapi -->\s*^```python\n([^]*?)^```$/m.exec(readPage(page))?.[1]
  if (text === undefined) throw new Error(`${page} has no receiver`)
  return text
}
