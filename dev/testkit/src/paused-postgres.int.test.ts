import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startStack, type LocalStack } from '@ariftly/local-stack'
import pg from 'pg'

/** Far longer than an answer takes. */
const STILL_MS = 500
let stack: LocalStack

beforeAll(async () => {
  const { PATH, HOME } = process.env
  const dataDir = mkdtempSync(join(tmpdir(), 'ariftly-paused-'))
  stack = await startStack({ dataDir, ephemeral: true, env: { PATH, HOME }, parts: ['postgres'] })
})

afterAll(() => stack?.close())

test('a paused Postgres answers nothing on connections that are open already, and answers when it is resumed', async () => {
  const client = new pg.Client({ connectionString: stack.addresses.postgres })
  await client.connect()
  stack.postgres?.pause()
  const answered = client.query('SELECT 1').then(() => 'answered')
  expect(await Promise.race([answered, delay(STILL_MS, 'nothing')])).toBe('nothing')
  stack.postgres?.resume()
  expect(await answered).toBe('answered')
  await client.end()
})
