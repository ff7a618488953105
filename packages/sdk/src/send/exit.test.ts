import { spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer, text } from 'node:stream/consumers'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { byForm, startReceiver, type Receiver } from '@ariftly/testkit'
import { accepted, problem } from './test-events.ts'
import type { ProgramOrder } from './test-program.ts'

let api: Receiver
let folder: string

beforeEach(async () => {
  api = await startReceiver()
  api.respondWith(() => problem(503))
  folder = mkdtempSync(join(tmpdir(), 'sdk-exit-'))
})

afterEach(async () => {
  await api.close()
  rmSync(folder, { recursive: true })
})

/** Runs a program that sends two events; `shell` runs before it. */
async function run(order: Omit<ProgramOrder, 'baseUrl'>, shell = 'true') {
  const path = join(import.meta.dirname, 'test-program.ts')
  const command = `${shell}; exec "$0" --conditions=source --import tsx "$@"`
  const args = ['-c', command, process.execPath, path, JSON.stringify({ baseUrl: new URL(api.url).origin, ...order })]
  const child = spawn('sh', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve)
  })
  const [output, errors, code] = await Promise.all([text(child.stdout), buffer(child.stderr), ended])
  return { output, errors: errors.toString(), code }
}

const LOST = 'The program ends before 2 events are accepted: they are lost.'

test('a program that ends with unsent events says so and fails', async () => {
  const { errors, code } = await run({ end: 'exit' })
  expect(errors).toContain(LOST)
  expect(code).toBe(1)
})

test('a program keeps the exit code that it has set', async () => {
  const { errors, code } = await run({ end: 'exit with 3' })
  expect(errors).toContain(LOST)
  expect(code).toBe(3)
})

test('events in a spool are not lost', async () => {
  const { errors, code } = await run({ end: 'exit', spool: join(folder, 'spool') })
  expect({ errors, code }).toEqual({ errors: '', code: 0 })
  api.respondWith(() => accepted)
  await run({ end: 'close', spool: join(folder, 'spool') })
  const last = JSON.parse(api.requests.at(-1)?.body.toString() ?? '') as { data: { n: number } }[]
  expect(last.map(({ data }) => data.n)).toEqual([1, 2, 1, 2])
})

test('a full disk rejects what it cannot keep, and loses nothing that it has', async () => {
  api.respondWith(() => accepted)
  // In blocks of 512 bytes: one event fits, two do not.
  const { output, code } = await run({ end: 'close', spool: join(folder, 'spool'), bytes: 5000 }, 'ulimit -f 16')
  expect(output).toContain('rejected: EFBIG')
  expect(JSON.parse(output.split('\n')[1] ?? '')).toMatchObject({ sent: 1, accepted: 1 })
  expect(code).toBe(0)
  expect(readdirSync(join(folder, 'spool'))).toEqual([])
})

test('a disk that the spool itself has filled stops no sending, which frees it', async () => {
  api.respondWith(() => accepted)
  const { output, code } = await run({ end: 'close', spool: join(folder, 'spool'), events: 100 }, 'ulimit -f 16')
  const lines = output.trim().split('\n')
  expect(lines.slice(0, -1)).toEqual(expect.arrayContaining(['rejected: EFBIG']))
  const taken = 100 - (lines.length - 1)
  expect(taken).toBeGreaterThan(40)
  expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ sent: taken, accepted: taken, retries: 0 })
  expect(code).toBe(0)
  expect(readdirSync(join(folder, 'spool'))).toEqual([])
})

test('what an earlier process left is sent by one that can write nothing', async () => {
  await run({ end: 'exit', spool: join(folder, 'spool') })
  api.respondWith(() => accepted)
  const { output, code } = await run({ end: 'close', spool: join(folder, 'spool'), events: 0 }, 'ulimit -f 0')
  expect(JSON.parse(output)).toMatchObject({ sent: 2, accepted: 2 })
  expect(code).toBe(0)
  expect(readdirSync(join(folder, 'spool'))).toEqual([])
})

// It waits 30 s for the events.
if (byForm({ short: false, long: true })) {
  test('a program that runs out of work waits for its events, then says that they are lost and fails', async () => {
    const { errors, code } = await run({ end: 'return' })
    expect(errors).toContain(LOST)
    expect(code).toBe(1)
  })
}
