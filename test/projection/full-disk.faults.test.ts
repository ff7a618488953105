import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import { eventually } from '@ariftly/testkit'
import { startOwnSystem, type OwnSystem } from './own-system.ts'

/** Above the 16 MiB of a WAL segment, which Postgres must be able to write, below what the events take. */
const FILE_BYTES_MAX = 17 * 1024 * 1024
const BATCH = 20
const BATCHES = 6

let system: OwnSystem

beforeAll(async () => {
  system = await startOwnSystem()
})

afterAll(() => system?.close())

/** Bounds the size of every file that a process of Postgres writes; its new processes inherit the bound. */
function limitFiles(bytesMax: number | 'unlimited'): void {
  const postmaster = system.stack.postgres?.pid ?? 0
  // Where this is root, Postgres runs as another user, who alone may change its limits.
  const { uid, gid } = statSync(`/proc/${postmaster}`)
  const owner = process.getuid?.() === uid ? {} : { uid, gid }
  const children = readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && parentOf(pid) === postmaster)
  for (const pid of [String(postmaster), ...children]) {
    const limit = spawnSync('prlimit', ['--pid', pid, `--fsize=${bytesMax}:unlimited`], { ...owner, encoding: 'utf8' })
    if (limit.status !== 0 && pid === String(postmaster)) throw new Error(`prlimit: ${limit.stderr}`)
  }
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1])
  } catch {
    return undefined // It has ended meanwhile.
  }
}

/** Posts events of 200 KB that do not compress; answers their ids and how long ingest took. */
async function post(): Promise<{ readonly ids: readonly string[]; readonly tookMs: number }> {
  const ids = Array.from({ length: BATCH }, () => newEventId(Date.now()))
  const padding = randomBytes(150_000).toString('base64')
  const events = ids.map((id, index) => ({
    id,
    type: 'task.progress',
    task_id: `t${index}`,
    data: { message: id, padding },
  }))
  const startedMs = performance.now()
  const response = await fetch(`${system.ingest.url}/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${system.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify(events),
  })
  expect(response.status).toBe(202)
  return { ids, tookMs: performance.now() - startedMs }
}

async function storedIds(): Promise<readonly string[]> {
  const { rows } = await system.world.admin.query<{ id: string }>(
    `SELECT data->>'message' AS id FROM events ORDER BY 1`,
  )
  return rows.map(({ id }) => id)
}

test('when Postgres cannot extend a file, ingest continues, and the projector waits and recovers without a loss', async () => {
  const ids = [...(await post()).ids]
  await eventually('the first events are projected', async () => (await storedIds()).length === BATCH)
  limitFiles(FILE_BYTES_MAX)
  for (let batch = 0; batch < BATCHES; batch += 1) ids.push(...(await post()).ids)
  await eventually('the disk is full', () => system.projector.output().includes('could not extend file'))
  ids.push(...(await post()).ids)
  expect((await storedIds()).length).toBeLessThan(ids.length)
  expect((await fetch(`${system.projector.url}/readyz`)).status).toBe(200)
  limitFiles('unlimited')
  await eventually('all events are projected', async () => (await storedIds()).length === ids.length)
  expect(await storedIds()).toEqual(ids.toSorted())
  expect(system.stack.postgres?.running).toBe(true)
})
