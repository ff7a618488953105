import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { run } from '../test-run.ts'

const ID = 'evt_01h455vb4pex5vsknk084sn02q'
/** Each member is another text after it was parsed and printed. */
const DATA = String.raw`{"big":9007199254740993,"one":1.0,"e":1E2,"s":"\u0041\/","2":[-0,0.10],"1":{},"a":1,"a":2}`
const head = `{"object":"event","id":"${ID}","type":"x.y","created_at":"2026-11-28T10:41:03.000Z","agent":null`
const EVENT = `${head},"data":${DATA},"log":{"appended_at":null,"projected_at":null}}`
const WITH_DELIVERIES = `${head},"data":${DATA},"deliveries":[],"log":{"appended_at":null,"projected_at":null}}`
let api: Receiver

beforeAll(async () => {
  api = await startReceiver()
  api.respondWith(({ path }) => {
    const event = path.includes('deliveries') ? WITH_DELIVERIES : EVENT
    const isOne = path.startsWith(`/v1/events/${ID}`)
    const page = `{"object":"list","data":[ ${event},\n${event}\n],"has_more":false,"next_cursor":null}\n`
    return { headers: { 'content-type': 'application/json' }, body: isOne ? `${event}\n` : page }
  })
})

afterAll(async () => {
  await api.close()
})

const call = async (args: readonly string[], isTty = false) => {
  const env = { ARIFTLY_URL: `http://127.0.0.1:${api.port}`, ARIFTLY_API_KEY: 'k', NO_COLOR: '1' }
  const { code, out, err } = await run(args, { env, isTty })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  return out.split('\n').slice(0, -1)
}

describe('the bytes of the server are printed by', () => {
  test.each([
    [['events', 'get', ID], [EVENT]],
    [['events', 'get', ID, '--include', 'log,deliveries'], [WITH_DELIVERIES]],
    [
      ['events', 'list'],
      [EVENT, EVENT],
    ],
    [
      ['events', 'list', '--include', 'deliveries'],
      [WITH_DELIVERIES, WITH_DELIVERIES],
    ],
    [['wait', ID], [EVENT]],
    [['timeline', 't_1'], Array<string>(2).fill(`{"event":${EVENT},"deliveries":[]}`)],
  ])('%j', async (args, lines) => {
    expect(await call(args)).toEqual(lines)
  })
})

test('a person sees numbers as they were written', async () => {
  const lines = (await call(['events', 'get', ID], true)).map((line) => line.trim().split(/\s+/))
  expect(lines).toEqual(
    expect.arrayContaining([
      ['big', '9007199254740993'],
      ['one', '1.0'],
      ['s', 'A/'],
      ['2', '-0,', '0.10'],
      ['1', '{}'],
    ]),
  )
  expect((await call(['events', 'list'], true)).at(-1)).toContain('{"big":9007199254740993,"one":1.0,')
})
