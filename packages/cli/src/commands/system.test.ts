import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { jsonLines, run } from '../test-run.ts'

const AT = '2026-11-28T10:41:03.000Z'
const ID = '5f0c8a0e-6f0b-4b53-9d4e-2f6b7c1a9e10'
const SYSTEM = {
  object: 'system',
  as_of: AT,
  log: {
    epoch: 2,
    topic: 'ariftly.events.v1',
    opened_at: AT,
    partitions: [
      {
        partition: 0,
        projected_offset: '1205',
        projected_at: AT,
        appended_at: null,
        matched_offset: '1200',
        matched_at: AT,
      },
    ],
  },
  processes: [{ service: 'ingest', id: ID, seen_at: AT }],
  deliveries: { pending_count: 10_000, due_count: 3, complete: false },
  backlogs: [
    {
      webhook_id: 'whk_1',
      tenant: 'acme\u001b[2J',
      pending_count: 10_000,
      due_count: 3,
      oldest_pending_at: AT,
      enabled: false,
      disabled_reason: 'gone',
      failing_since: null,
    },
  ],
}

let api: Receiver

beforeAll(async () => {
  api = await startReceiver()
})

afterAll(async () => {
  await api.close()
})

async function system(answer: object, isTty: boolean): Promise<string> {
  api.respondWith(() => ({ headers: { 'content-type': 'application/json' }, body: JSON.stringify(answer) }))
  const env = { ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: 'k', NO_COLOR: '1' }
  const { code, out, err } = await run(['system'], { env, isTty })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out
}

test('a person sees three tables, and that a count is a lower limit', async () => {
  expect((await system(SYSTEM, true)).split('\n')).toEqual([
    `as of       ${AT}`,
    'log         epoch 2 of ariftly.events.v1',
    'deliveries  at least 10000 pending, at least 3 due',
    '',
    'PARTITION  PROJECTED  OF  MATCHED  AT',
    `0          1205       -   1200     ${AT}`,
    '',
    'SERVICE  SEEN                      ID',
    `ingest   ${AT}  ${ID}`,
    '',
    'WEBHOOK  TENANT       STATE  PENDING  DUE  OLDEST',
    String.raw`whk_1    acme\x1b[2J  gone   10000    3    ` + AT,
    '',
  ])
})

test('what is not there has no table', async () => {
  const empty = {
    ...SYSTEM,
    log: null,
    processes: [],
    backlogs: [],
    deliveries: { pending_count: 0, due_count: 0, complete: true },
  }
  expect((await system(empty, true)).split('\n')).toEqual([
    `as of       ${AT}`,
    'log         none yet',
    'deliveries  0 pending, 0 due',
    '',
  ])
})

test('a program gets the answer unchanged', async () => {
  expect(jsonLines(await system(SYSTEM, false))).toEqual([SYSTEM])
})
