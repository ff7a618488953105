import { statSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { eventually, findFreePort, startReceiver, type Receiver } from '@ariftly/testkit'
import { errorOf, jsonLines, newHome, run, type RunOptions } from './test-run.ts'

const KEY = 'ak_1234567890_the_key'
const WEBHOOK = 'whk_01h455vb4pex5vsknk084sn02q'
let api: Receiver

beforeAll(async () => {
  api = await startReceiver()
})

beforeEach(() => {
  answer(200, { object: 'list', data: [], has_more: false, next_cursor: null })
})

afterAll(async () => {
  await api.close()
})

function answer(status: number, body: object): void {
  api.respondWith(() => ({
    status,
    headers: {
      'content-type': status < 400 ? 'application/json' : 'application/problem+json',
      'x-request-id': 'req_1',
    },
    body: JSON.stringify(body),
  }))
}

const problem = (status: number, code: string, more: object = {}) => ({
  type: `/problems/${code}`,
  title: 'T',
  status,
  code,
  ...more,
})
const url = () => `http://127.0.0.1:${api.port}`
const call = async (argv: readonly string[], options: RunOptions = {}) =>
  await run(argv, { ...options, env: { ARIFTLY_URL: url(), ARIFTLY_API_KEY: KEY, ...options.env } })

describe('errors', () => {
  test('show code, all pointers, remedy, request id and page', async () => {
    const errors = [
      { pointer: '/url', code: 'invalid_url', message: 'is no URL' },
      { pointer: '/events/0', code: 'invalid_type', message: 'is no type' },
    ]
    answer(422, problem(422, 'invalid_body', { detail: 'Two members are wrong.', errors }))
    const argv = ['webhooks', 'create', '--url', 'x', '--events', 'y']
    const ran = await call(argv)
    expect({ code: ran.code, out: ran.out, lines: ran.err.split('\n').length }).toEqual({ code: 1, out: '', lines: 2 })
    expect(errorOf(ran)).toEqual({
      code: 'invalid_body',
      message: 'Two members are wrong.',
      status: 422,
      errors,
      remedy: 'Correct what each pointer in `errors` names.',
      request_id: 'req_1',
      page: `${url()}/problems/invalid_body`,
      exit_code: 1,
    })
    const shown = await call(argv, { isTty: true })
    for (const text of [
      'invalid_body',
      '/url is no URL',
      '/events/0 is no type',
      'req_1',
      `${url()}/problems/invalid_body`,
    ]) {
      expect(shown.err).toContain(text)
    }
  })

  test.each([
    [401, 'invalid_api_key', 'The API key is unknown, revoked or expired.'],
    [403, 'missing_scope', 'The API key does not have the scope `webhooks`.'],
  ])('%i ends with exit code 4, and says what is missing', async (status, code, detail) => {
    answer(status, problem(status, code, { detail }))
    const ran = await call(['webhooks', 'list'])
    expect(ran.code).toBe(4)
    expect(errorOf(ran)).toMatchObject({ code, message: detail, remedy: expect.any(String) })
  })

  test('without a key it is 4, before any request', async () => {
    const before = api.requests.length
    const ran = await run(['events', 'list'], { env: { ARIFTLY_URL: url() } })
    expect({ code: ran.code, requests: api.requests.length - before }).toEqual({ code: 4, requests: 0 })
    expect(errorOf(ran)['remedy']).toContain('ariftly login')
  })

  test('a server that cannot be reached is 1, with a remedy', async () => {
    const port = await findFreePort()
    const signal = AbortSignal.timeout(60_000)
    const ran = await call(['doctor'], { env: { ARIFTLY_URL: `http://127.0.0.1:${port}` }, signal })
    expect(ran.code).toBe(1)
    expect(jsonLines(ran.out)).toContainEqual(expect.objectContaining({ check: 'server', status: 'failed' }))
  })

  test('never hold the key, also when an answer repeats it', async () => {
    answer(
      422,
      problem(422, 'odd', { detail: `You sent ${KEY}`, errors: [{ pointer: `/${KEY}`, code: 'x', message: KEY }] }),
    )
    for (const isTty of [true, false]) {
      const ran = await call(['events', 'list'], { isTty })
      expect(ran.err).toContain('[key]')
      expect(ran.err + ran.out).not.toContain(KEY)
    }
  })

  test('of an answer cannot drive the terminal', async () => {
    answer(422, problem(422, 'odd\u001b[2J', { detail: '\u001b]0;owned\u0007\u202e' }))
    const { err } = await call(['events', 'list'], { isTty: true, env: { NO_COLOR: '1' } })
    expect(err).toMatch(/^[\x20-\x7e\n]+$/)
    expect(err).toContain('\\x1b[2J')
  })
})

describe('input that is wrong', () => {
  test.each([
    [['evnts', 'list'], 'usage'],
    [['events', 'list', '--sinc', '1h'], 'usage'],
    [['events', 'list', '--since', 'yesterday'], 'invalid_option'],
    [['events', 'list', '--limit', '501'], 'invalid_option'],
    [['events', 'get', 'whk_x'], 'invalid_option'],
    [['wait', 'nonsense'], 'invalid_option'],
    [['wait', 'evt_1', '--delivered'], 'invalid_option'],
    [['wait', 'evt_01h455vb4pex5vsknk084sn02q', '--webhook', 'whk_1'], 'invalid_option'],
    [['listen', '--forward-to', 'http://127.0.0.1:1/', '--webhook', 'whk_1'], 'invalid_option'],
    [['events', 'get'], 'usage'],
    [['events', 'get', 'evt_1', 'evt_2'], 'usage'],
    [['tenants', 'get', '..'], 'invalid_option'],
    [['deliveries', 'list', '--status', 'odd'], 'invalid_option'],
    [['webhooks', 'create', '--body', '{'], 'invalid_json'],
    [['webhooks', 'create', '--body', '[]'], 'invalid_option'],
    [['webhooks', 'create', '--body', '@/nowhere/at/all'], 'unreadable_file'],
    [['webhooks', 'create', '--body', '-'], 'invalid_json'],
    [['webhooks', 'create', '--secret-file', '/nowhere/at/all'], 'unreadable_file'],
    [['replays', 'create', WEBHOOK, '--yes'], 'usage'],
    [['replays', 'create', WEBHOOK, '--since', '1d', '--from', 'v1.x', '--yes'], 'usage'],
    [['trigger'], 'usage'],
    [['trigger', 'task.progress', '--scenario', 'task'], 'usage'],
    [['doctor', '--target', 'http://localhost:1/'], 'usage'],
    [['completion', 'tcsh'], 'invalid_option'],
    [['events', 'list', '--profile', '../x'], 'invalid_profile'],
  ])('%j is refused before any request (%s)', async (argv, code) => {
    const before = api.requests.length
    const ran = await call(argv, { env: { ARIFTLY_API_KEY: argv.includes('--profile') ? '' : KEY } })
    expect({ exit: ran.code, out: ran.out, requests: api.requests.length - before }).toEqual({
      exit: 1,
      out: '',
      requests: 0,
    })
    expect(errorOf(ran)).toMatchObject({ code, exit_code: 1 })
  })

  test('names the nearest word', async () => {
    expect(errorOf(await call(['event', 'list']))['message']).toContain('Did you mean events?')
    expect(errorOf(await call(['events', 'list', '--tsk', 'x']))['message']).toContain('Did you mean --task?')
  })
})

describe('what cannot be undone', () => {
  test.each([
    ['webhooks', 'delete', WEBHOOK],
    ['keys', 'revoke', 'key_01h455vb4pex5vsknk084sn02q'],
    ['tenants', 'delete', 'acme'],
    ['redeliveries', 'create', '--since', '1d'],
    ['replays', 'create', WEBHOOK, '--since', '1d'],
  ])('%s %s needs --yes where there is no terminal', async (...argv) => {
    const before = api.requests.length
    const ran = await call(argv)
    expect({ code: ran.code, requests: api.requests.length - before }).toEqual({ code: 1, requests: 0 })
    expect(errorOf(ran)).toMatchObject({ code: 'needs_yes', pointer: '--yes' })
  })

  test.each([
    ['y\n', 0, 1],
    ['yes\n', 0, 1],
    ['n\n', 2, 0],
    ['\n', 2, 0],
    ['', 2, 0],
  ])('is done on a terminal when %j is the answer: exit code %i', async (input, code, requests) => {
    const before = api.requests.length
    api.respondWith(() => ({ status: 204 }))
    const ran = await call(['webhooks', 'delete', WEBHOOK], { isTty: true, input })
    expect(ran.err).toContain('Delete the webhook? [y/N]')
    expect({ code: ran.code, requests: api.requests.length - before }).toEqual({ code, requests })
  })

  test('a dry run asks nothing', async () => {
    answer(202, { id: 'rdl_1', status: 'running', dry_run: true })
    expect((await call(['redeliveries', 'create', '--since', '1d', '--dry-run'])).code).toBe(0)
  })

  test('a replay begins at a time or at a position', async () => {
    answer(202, { id: 'rpl_1', status: 'running', dry_run: true })
    expect((await call(['replays', 'create', WEBHOOK, '--from', 'v1.x', '--dry-run'])).code).toBe(0)
    expect(JSON.parse(String(api.requests.at(-1)?.body))).toEqual({ from: 'v1.x', dry_run: true })
  })
})

describe('a list', () => {
  test('prints one page, and says how to get more; with --all every page', async () => {
    const pages = [
      { object: 'list', data: [{ id: 'a' }], has_more: true, next_cursor: 'c2' },
      { object: 'list', data: [{ id: 'b' }], has_more: false, next_cursor: null },
    ]
    api.respondWith(({ path }) => ({
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(pages[path.includes('cursor=c2') ? 1 : 0]),
    }))
    const one = await call(['events', 'list', '--since', '1h'])
    expect(jsonLines(one.out)).toEqual([{ id: 'a' }])
    expect(one.err).toMatch(/--all, or --since 20\S+Z --cursor c2/)
    expect((await call(['events', 'list', '--quiet'])).err).toBe('')
    expect(jsonLines((await call(['events', 'list', '--all'])).out)).toEqual([{ id: 'a' }, { id: 'b' }])
  })
})

describe('login', () => {
  test('keeps a key that the API knows, for its owner alone, and logout removes it', async () => {
    const home = newHome()
    answer(200, { object: 'api_key', id: 'key_1', tenant: 'acme', scopes: ['events:read'] })
    const env = { HOME: home, ARIFTLY_API_KEY: '', ARIFTLY_URL: '' }
    const ran = await call(['login', '--with-token', '--server', url()], { env, input: `${KEY}\n` })
    expect(ran).toMatchObject({ code: 0, err: '' })
    expect(jsonLines(ran.out)).toEqual([{ profile: 'default', url: url(), tenant: 'acme', scopes: ['events:read'] }])
    expect(statSync(join(home, '.config/ariftly/profiles/default.json')).mode & 0o777).toBe(0o600)
    const who = await call(['whoami'], { env })
    expect(jsonLines(who.out)).toEqual([expect.objectContaining({ url: url(), key_source: 'profile default' })])
    expect(api.requests.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`)
    expect(jsonLines((await call(['logout'], { env })).out)).toEqual([{ profile: 'default', removed: true }])
    expect(errorOf(await call(['whoami'], { env }))).toMatchObject({ code: 'needs_server', exit_code: 1 })
  })

  test('keeps nothing that the API does not know', async () => {
    const env = { HOME: newHome(), ARIFTLY_API_KEY: '' }
    answer(401, problem(401, 'invalid_api_key'))
    expect((await call(['login', '--with-token'], { env, input: KEY })).code).toBe(4)
    expect((await call(['whoami'], { env })).code).toBe(4)
  })

  test('reads no key that is typed, as it would be shown', async () => {
    const ran = await call(['login', '--with-token'], { isTty: true, input: `${KEY}\n` })
    expect(ran.code).toBe(1)
    expect(ran.err).not.toContain(KEY)
  })

  test('asks on a terminal, and does not show the key; profiles lists what was kept', async () => {
    const home = newHome()
    answer(200, { object: 'api_key', id: 'key_1', tenant: 'acme', scopes: [] })
    const env = { HOME: home, ARIFTLY_API_KEY: '', ARIFTLY_URL: '' }
    const argv = ['login', '--server', url(), '--profile', 'two', '--json']
    const ran = await call(argv, { env, isTty: true, input: `${KEY}\n` })
    expect(ran).toMatchObject({ code: 0, err: `API key for ${url()}: \n` })
    const listed = await call(['profiles', '--profile', 'two'], { env })
    expect(jsonLines(listed.out)).toEqual([{ profile: 'two', url: url(), chosen: true }])
    expect(ran.out + ran.err + listed.out).not.toContain(KEY)
  })

  test.each(['', '\n', 'two words'])('takes no key such as %j', async (input) => {
    expect((await call(['login', '--with-token'], { input })).code).toBe(4)
  })
})

test('Ctrl-C ends with exit code 2, and prints nothing more', async () => {
  api.respondWith(() => ({ instead: 'hang' }))
  const stop = new AbortController()
  const before = api.requests.length
  const running = call(['events', 'list'], { signal: stop.signal })
  await eventually('the request is sent', () => api.requests.length === before + 1)
  stop.abort(new Error('Cancelled by SIGINT.'))
  expect(await running).toEqual({ code: 2, out: '', err: '' })
})

describe('help', () => {
  test('as JSON is the tree with all that a program needs to know', async () => {
    const [tree] = jsonLines((await run(['help', '--json'])).out)
    expect(tree).toMatchObject({
      name: 'ariftly',
      exit_codes: { 0: 'done', 1: 'failed', 2: 'cancelled', 4: 'needsKey' },
    })
    const [command] = jsonLines((await run(['help', 'webhooks', 'delete', '--json'])).out)
    expect(command).toMatchObject({
      usage: 'ariftly webhooks delete',
      needs_yes: true,
      routes: ['DELETE /v1/webhooks/{id}'],
    })
  })

  test('for people is the same with help and --help, and ends with 0', async () => {
    const [one, two] = [await run(['help', 'trigger'], { isTty: true }), await run(['trigger', '--help'])]
    expect(one.out).toBe(two.out)
    expect([one.code, two.code]).toEqual([0, 0])
    expect(two.out).toContain('ariftly trigger task.progress --set data.progress=0.4')
  })

  test('without a command is shown with 0; of a group without a command with 1, on standard error', async () => {
    expect(await run([])).toMatchObject({ code: 0, err: '', out: expect.stringContaining('webhooks') })
    expect(await run(['webhooks'])).toMatchObject({ code: 1, out: '', err: expect.stringContaining('rotate') })
  })
})
