import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GUIDES } from '@ariftly/api-documents'
import { byForm, DEADLINES, eventually, findFreePort } from '@ariftly/testkit'
import { fencedBlocks, readPage, ROOT } from '../docs/markdown.ts'
import { mintIds, type SnippetLanguage } from './minted-ids.ts'
import { createShell, type Output } from './shell.ts'

/** Blocks of guides that begin with these need a JDK, or a project or a clone of the reader's own: test/docs/printed-commands.test.ts reads them. */
const NOT_RUN = /^(?:npm|mvn|python3 -m venv) /
/** Commands of guides that do not end, and what they print first. */
const ENDLESS = [
  { pattern: /^curl -N /, prints: /^event: stream\.checkpoint$/m },
  { pattern: /^node receiver\.mjs$/m, prints: /^listening on /m },
]

const blocks = fencedBlocks(readPage('README.md'), 'sh')
const folder = mkdtempSync(join(tmpdir(), 'ariftly-readme-'))
const shell = createShell(folder)
let system: Output
let origin = ''

beforeAll(async () => {
  system = shell.start('exec npm start', { PORT: '0', DATA_DIR: join(folder, '.data') }, ROOT)
  symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'))
  origin = await eventually('the system is ready', () => findOrigin(system), { timeoutMs: DEADLINES.programStart })
})

afterAll(() => {
  shell.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

describe('the shell blocks of the README', () => {
  test('are the two commands, the variables, four calls and two other ways to start it', () => {
    expect(blocks.map((block) => block.split(/[ \n]/).slice(0, 2).join(' '))).toEqual([
      'npm start',
      'export ARIFTLY_URL=http://localhost:8080',
      'curl $ARIFTLY_URL/v1/events',
      'curl "$ARIFTLY_URL/v1/events?task_id=task_1&limit=10"',
      'curl -N',
      'cat >',
      'curl $ARIFTLY_URL/v1/webhooks',
      'docker compose',
      'kubectl apply',
      'npm test',
    ])
  })

  test('work as printed, except for the ports', async () => {
    const port = await findFreePort()
    const printed = blocks.map((block) => block.replace('http://localhost:8080', origin).replaceAll('4000', `${port}`))
    const [, variables = '', post = '', list = '', stream = '', receiver = '', webhook = ''] = printed
    expect(existsSync(join(folder, '.data/api-key'))).toBe(true)
    const streaming = shell.start(`${variables}exec ${stream}`)
    await eventually('the stream is open', () => streaming.text.includes('retry:'))
    expect(JSON.parse(await shell.run(`${variables}${post}`))).toMatchObject({
      data: [{ index: 0, status: 'accepted' }],
    })
    await eventually('the event is streamed', () =>
      streaming.text.includes('event: task.progress\ndata: {"task_id":"task_1","message":'),
    )
    await eventually('the event is listed', async () => {
      expect(JSON.parse(await shell.run(`${variables}${list}`))).toMatchObject({
        data: [{ type: 'task.progress', task_id: 'task_1' }],
      })
      return true
    })
    const receiving = shell.start(`${variables}${receiver}`)
    await eventually('the receiver listens', () => receiving.text.includes('listening on'))
    expect(JSON.parse(await shell.run(`${variables}${webhook}`))).toMatchObject({ object: 'webhook', enabled: true })
    await shell.run(`${variables}${post}`)
    await eventually('the event is received', () => /^evt_\w+ \{.*"message":"Analyzing document"/m.test(receiving.text))
  })

  test('of npm start: it prints addresses, the variables and the same calls, and they work as printed', async () => {
    expect(system.text).toContain(
      `  Base URL  ${origin}\n  Reference ${origin}/docs\n  Console   ${origin}/console\n  Guides    ${origin}/docs/guides\n`,
    )
    expect((await fetch(`${origin}/docs`)).status).toBe(200)
    expect(system.text).toContain(`  Data      ${join(folder, '.data')}\n`)
    const lines = system.text.split('\n')
    const exports = lines.filter((line) => line.startsWith('export '))
    expect(exports.map((line) => line.split('=')[0])).toEqual(['export ARIFTLY_URL', 'export ARIFTLY_API_KEY'])
    const printed = lines.filter((line) => line.startsWith('curl '))
    expect(printed.join('\n')).not.toContain('http')
    expect(printed).toHaveLength(4)
    const set = `${exports.join('\n')}\n`
    const [stream = '', post = '', list = '', key = ''] = printed
    const streaming = shell.start(`${set}exec ${stream}`)
    await eventually('the stream is open', () => streaming.text.includes('retry:'))
    expect(JSON.parse(await shell.run(set + post))).toMatchObject({ data: [{ status: 'accepted' }] })
    await eventually('an event is streamed', () => /^event: task\.\w+$/m.test(streaming.text))
    expect(JSON.parse(await shell.run(set + list))).toMatchObject({ object: 'list' })
    const { key: made } = JSON.parse(await shell.run(set + key)) as { key: string }
    const own = await shell.run(`${set}export ARIFTLY_API_KEY=${made}\n${list}`)
    expect(JSON.parse(own)).toMatchObject({ object: 'list' })
  })
})

/** Guides whose commands need each other, or a terminal: `test/docs/customers` and `test/cli` run them. The console's has none. */
const RUN_ELSEWHERE = ['docs/customers.md', 'docs/cli.md', 'docs/console.md']

describe('the shell blocks of the guides work as printed, except for the ports', () => {
  test.each(GUIDES.filter(({ source }) => !RUN_ELSEWHERE.includes(source)))('$source', async ({ source }) => {
    const port = await findFreePort()
    const [variables = '', ...printed] = fencedBlocks(readPage(source), 'sh').map((block) =>
      block.replaceAll('http://localhost:8080', origin).replaceAll(/\b4000\b/g, String(port)),
    )
    const outputs: string[] = []
    for (const block of printed.filter((each) => !NOT_RUN.test(each))) {
      const endless = ENDLESS.find(({ pattern }) => pattern.test(block))
      if (endless === undefined) outputs.push(await shell.run(variables + block))
      else {
        const started = shell.start(variables + block)
        await eventually('the program has printed its line', () => endless.prints.test(started.text))
      }
    }
    expect(outputs.filter((output) => output.includes('/problems/'))).toEqual([])
    if (source === 'docs/kafka.md') {
      for (const counts of outputs.slice(-2)) expect(JSON.parse(counts)).toHaveProperty(['default task.progress'])
    }
  })
})

describe('an id that docs/ingest.md mints', () => {
  test.each(byForm<readonly SnippetLanguage[]>({ short: ['python', 'sh'], long: ['python', 'sh', 'go'] }))(
    'in %s is valid, and lists keep the order of one millisecond',
    async (language) => {
      const ids = await mintIds(language, shell, folder)
      const task = `task_ids_${language}`
      const headers = {
        authorization: `Bearer ${readFileSync(join(folder, '.data/api-key'), 'utf8').trim()}`,
        'content-type': 'application/json',
      }
      const body = JSON.stringify(ids.map((id) => ({ id, type: 'task.created', task_id: task, data: {} })))
      expect((await fetch(`${origin}/v1/events`, { method: 'POST', headers, body })).status).toBe(202)
      const listed = await eventually('all events are listed', async () => {
        const answer = await fetch(`${origin}/v1/events?task_id=${task}&order=asc&limit=500`, { headers })
        const { data } = (await answer.json()) as { readonly data: readonly { id: string; created_at: string }[] }
        return data.length === ids.length ? data : undefined
      })
      expect(listed?.map(({ id }) => id)).toEqual(ids)
      expect(new Set(listed?.map((event) => event.created_at)).size).toBeLessThan(ids.length)
    },
  )
})

describe('the end of npm start', () => {
  test('is within 10 s of Ctrl-C', async () => {
    const startedMs = performance.now()
    const ended = once(system.child, 'exit')
    system.child.kill('SIGINT')
    await ended
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })
})

function findOrigin({ text, errors }: Output): string {
  const found = /http:\/\/(?:localhost|127\.0\.0\.1):[1-9]\d+/.exec(text)
  if (found === null) throw new Error(`nothing was printed but: ${text}${errors}`)
  return found[0]
}
