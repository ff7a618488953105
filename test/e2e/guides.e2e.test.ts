import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { GUIDES } from '@ariftly/api-documents'
import { byForm, eventually, findFreePort } from '@ariftly/testkit'
import { fencedBlocks, readPage, ROOT } from '../docs/markdown.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { createShell, type Shell } from './shell.ts'

/** Blocks that begin with these need a registry, a JDK or a project of the reader's own: test/docs/printed-commands.test.ts reads them. */
const NOT_RUN = /^(?:npm|mvn) /
/** Commands that do not end, and what they print first. */
const ENDLESS = [
  { pattern: /^curl -N /, prints: /^event: stream\.checkpoint$/m },
  { pattern: /^node receiver\.mjs$/m, prints: /^listening on /m },
]

let system: Standalone
let shell: Shell
let folder: string
let port: number

beforeAll(async () => {
  folder = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'guides-'))
  shell = createShell(folder)
  ;[system, port] = await Promise.all([startStandalone({ WEBHOOK_ALLOW_HTTP: 'true' }), findFreePort()])
  // What `npm start` writes, in a clone.
  const scopes = ['events:write', 'events:read', 'webhooks', 'admin', 'platform'] as const
  mkdirSync(join(folder, '.data'))
  writeFileSync(join(folder, '.data/api-key'), await system.apiKeyOf('default', [...scopes]))
  writeFileSync(join(folder, '.data/stack.json'), JSON.stringify({ kafka: system.env['KAFKA_BROKERS'] }))
  symlinkSync(join(ROOT, 'examples'), join(folder, 'examples'))
})

afterAll(async () => {
  shell?.close()
  await system?.close()
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
})

/** The blocks of a page, with addresses of this run: ports and the topic are another, all else is as it is printed. */
function printedBlocks(source: string): readonly string[] {
  return fencedBlocks(readPage(source), 'sh').map((block) =>
    block
      .replaceAll('http://localhost:8080', system.url)
      .replaceAll(/\b4000\b/g, String(port))
      .replaceAll('ariftly.events.v1', system.env['KAFKA_TOPIC'] ?? 'ariftly.events.v1'),
  )
}

describe('the shell blocks of the guides work as they are printed', () => {
  test.each(GUIDES)('$source', async ({ source }) => {
    const [variables = '', ...blocks] = printedBlocks(source)
    const outputs: string[] = []
    for (const block of blocks.filter((each) => !NOT_RUN.test(each))) {
      const endless = ENDLESS.find(({ pattern }) => pattern.test(block))
      if (endless === undefined) outputs.push(shell.run(variables + block))
      else {
        const started = shell.start(variables + block)
        await eventually(() => endless.prints.test(started.text))
      }
    }
    expect(outputs.filter((output) => output.includes('/problems/'))).toEqual([])
    if (source === 'docs/kafka.md')
      expect(outputs.slice(-2).map(countOf)).toEqual([expect.any(Number), expect.any(Number)])
  })
})

/** How many events an example counted of the type that the page has posted. */
function countOf(printed: string): number | undefined {
  return (JSON.parse(printed) as Readonly<Record<string, number>>)['default task.progress']
}

describe('an id that docs/ingest.md mints', () => {
  const languages = { python: mintInPython, sh: mintInShell, go: mintInGo }
  test.each(byForm<(keyof typeof languages)[]>({ short: ['python', 'sh'], long: ['python', 'sh', 'go'] }))(
    'in %s is valid, and lists keep the order of one millisecond',
    async (language) => {
      const ids = languages[language](snippetOf(language))
      const task = `task_ids_${language}`
      const events = ids.map((id) => ({ id, type: 'task.created', task_id: task, data: {} }))
      await system.post('/v1/events', JSON.stringify(events), 202)
      const listed = await eventually(async () => {
        const answer = await system.request(`/v1/events?task_id=${task}&order=asc&limit=500`)
        const { data } = (await answer.json()) as { readonly data: readonly { id: string; created_at: string }[] }
        return data.length === ids.length ? data : undefined
      })
      expect(listed?.map(({ id }) => id)).toEqual(ids)
      const moments = new Set(listed?.map((event) => event.created_at))
      expect(moments.size).toBeLessThan(ids.length)
    },
  )
})

function snippetOf(language: string): string {
  const name = language === 'python' ? 'python' : language
  const found = new RegExp(`<!-- ids: ${language} -->\n+\`\`\`${name}\n([^]*?)\`\`\``).exec(readPage('docs/ingest.md'))
  if (found?.[1] === undefined) throw new Error(`docs/ingest.md mints no id in ${language}`)
  return found[1]
}

const linesOf = (text: string) => text.trim().split('\n')

function mintInPython(snippet: string): readonly string[] {
  writeFileSync(join(folder, 'ids.py'), `${snippet}\nfor _ in range(400):\n    print(event_id())\n`)
  return linesOf(shell.run('python3 ids.py'))
}

/** A shell is slow: its clock is stopped, so that all ids are of one millisecond. */
function mintInShell(snippet: string): readonly string[] {
  const clock = `date() { echo ${Date.now()}; }\n`
  return linesOf(shell.run(`${clock}${snippet}\nfor n in 1 2 3 4 5 6 7 8 9 10 11 12; do event_id; echo "$id"; done`))
}

function mintInGo(snippet: string): readonly string[] {
  const imports = ['crypto/rand', 'encoding/binary', 'fmt', 'sync', 'time'].map((name) => `import "${name}"`).join('\n')
  const main = 'func main() {\n\tfor n := 0; n < 400; n++ {\n\t\tfmt.Println(eventID())\n\t}\n}\n'
  writeFileSync(join(folder, 'ids.go'), `package main\n\n${imports}\n\n${snippet}\n${main}`)
  return linesOf(shell.run('GOCACHE=$PWD/.data/go go run ids.go'))
}
