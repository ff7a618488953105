import { afterAll, expect, test } from '@jest/globals'
import { createTestDatabase, eventually } from '@ariftly/testkit'
import { startHeartbeat } from './heartbeat.ts'

const DEAD_MS = 1000

const database = await createTestDatabase()
const pool = database.openPool()

afterAll(() => database.drop())

test('a worker that was stopped for a while declares no other one dead before its own heartbeat has run for as long', async () => {
  const closing = new AbortController()
  const heartbeat = startHeartbeat({ db: pool, deadMs: DEAD_MS, signal: closing.signal, log: { warn() {} } })
  try {
    await eventually('the heartbeat is steady', () => heartbeat.steady())
    // As a stopped process or a paused machine: nothing runs, and then what was due runs at once.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, DEAD_MS / 2 + 100)
    expect(heartbeat.steady()).toBe(false)
    const resumedMs = performance.now()
    await eventually('the heartbeat is steady again', () => heartbeat.steady())
    expect(performance.now() - resumedMs).toBeGreaterThanOrEqual(DEAD_MS)
  } finally {
    closing.abort()
    await heartbeat.ended
  }
})
