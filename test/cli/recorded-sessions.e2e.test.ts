import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { readPage, ROOT } from '../docs/markdown.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { installCli } from './install-cli.ts'
import { Normalizer, recordedSessions, renderSession } from './recorded-sessions.ts'
import { startRawTerminal } from './start-raw-terminal.ts'

const PAGE = 'docs/cli.md'
const isUpdating = process.env['UPDATE_DOCS'] === '1'

let system: Standalone
let program: string

beforeAll(async () => {
  ;[program, system] = await Promise.all([installCli(), startStandalone({ WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8' })])
})

afterAll(async () => {
  await system?.close()
})

/** Runs one line of a shell in a terminal. */
async function inTerminal(command: string, home: string): Promise<string> {
  const path = `${dirname(program)}:${dirname(process.execPath)}:${process.env['PATH']}`
  const env = { HOME: home, ARIFTLY_URL: system.url, ARIFTLY_API_KEY: system.apiKey, NO_COLOR: '1', PATH: path }
  const { text } = await startRawTerminal({ program: '/bin/bash', args: ['-c', command], env }, { columns: 400 })
  return text.replaceAll('\r\n', '\n')
}

describe(PAGE, () => {
  test('shows what its commands print (write it again with: UPDATE_DOCS=1 and this test)', async () => {
    const page = readPage(PAGE)
    const home = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'cli-home-'))
    const normalizer = new Normalizer()
    let written = page
    for (const { block, commands } of recordedSessions(page)) {
      const printed: { command: string; text: string }[] = []
      for (const command of commands) {
        // Queries follow the log.
        const task = /(?:list --task|timeline) (\S+)/.exec(command)?.[1]
        if (task !== undefined) await eventually('3 events are listed', async () => (await eventsOf(task)) >= 3)
        printed.push({ command, text: normalizer.normalize(await inTerminal(command, home)) })
      }
      written = written.replace(block, () => renderSession(printed))
    }
    if (isUpdating) writeFileSync(join(ROOT, PAGE), written)
    expect(readPage(PAGE)).toBe(written)
  })
})

async function eventsOf(task: string): Promise<number> {
  const answer = await system.request(`/v1/events?task_id=${task}`)
  return ((await answer.json()) as { readonly data: readonly unknown[] }).data.length
}
