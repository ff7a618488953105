import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { startRawTerminal } from './start-raw-terminal.ts'

const CHARS = 60_000

test('gives all that a program printed before its end, also to a process that is busy', async () => {
  const program = join(mkdtempSync(join(tmpdir(), 'raw-terminal-')), 'print.cjs')
  writeFileSync(program, `process.stdout.write('x'.repeat(${CHARS}) + '\\n'); process.exitCode = 3`)
  // Longer than a pseudo-terminal is open after the end of its program.
  const busy = setInterval(() => {
    for (const startedMs = performance.now(); performance.now() < startedMs + 100;);
  }, 1)
  const { code, text } = await startRawTerminal({ program, args: [], env: {} })
  clearInterval(busy)
  expect({ code, chars: text.length, end: text.slice(-3) }).toEqual({ code: 3, chars: CHARS + 2, end: 'x\r\n' })
})
