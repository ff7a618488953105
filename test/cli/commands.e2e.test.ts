import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { eventually, startReceiver, type Receiver } from '@ariftly/testkit'
import { ROOT } from '../docs/markdown.ts'
import { findNode24 } from '../sdk/fixture.ts'
import { startStandalone, type Standalone } from '../support/standalone.ts'
import { installCli } from './install-cli.ts'
import { createSchemaChecker } from './schema-checker.ts'
import { startInTerminal, startPiped } from './start-cli.ts'
import { startRawTerminal } from './start-raw-terminal.ts'

/** Clears the screen, sets a title, moves the cursor, turns text round, hides text: 256 KiB with all that is around it. */
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\u009b1;1H\r\u202egnp\u2066\u200b\u2028'
const LARGE = `${HOSTILE}${'x'.repeat(250_000)}`
/** What `--json` needs no schema for: scripts of shells, and the commands that have tests of their own. */
const APART: ReadonlySet<string> = new Set(['completion', 'listen', 'api'])
const execute = promisify(execFile)

interface Node {
  readonly name: string
  readonly usage?: string
  readonly output?: string | null
  readonly commands?: readonly Node[]
}

let system: Standalone
let receiver: Receiver
let program: string
let home: string
let platformKey: string
const printed: string[] = []

beforeAll(async () => {
  receiver = await startReceiver()
  receiver.respondWith(() => ({ status: 200, headers: { 'x-odd': 'y' }, body: HOSTILE }))
  ;[program, system] = await Promise.all([installCli(), startStandalone({ WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8' })])
  platformKey = await system.apiKeyOf('default', ['events:write', 'events:read', 'webhooks', 'admin', 'platform'])
  home = mkdtempSync(join(process.env['ARIFTLY_TEST_DIR'] ?? tmpdir(), 'cli-home-'))
})

afterAll(async () => {
  await system?.close()
  await receiver?.close()
})

const env = (more: Readonly<Record<string, string>> = {}) => ({
  HOME: home,
  ARIFTLY_URL: system.url,
  ARIFTLY_API_KEY: platformKey,
  ...more,
})

/** Sends an event that is hostile and large. */
async function sendHostile(task: string): Promise<void> {
  const args = ['trigger', 'task.progress', '--task', task, '--data', '-']
  expect(await pipe(args, { input: JSON.stringify({ message: LARGE }) })).toMatchObject({ code: 0, err: '' })
}

/** Runs through pipes. */
async function pipe(
  args: readonly string[],
  options: { readonly env?: Readonly<Record<string, string>>; readonly input?: string } = {},
) {
  const cli = startPiped({ program, args, env: env(options.env) }, options.input)
  const code = await cli.exited
  printed.push(cli.stdout(), cli.stderr())
  return { code, out: cli.stdout(), err: cli.stderr() }
}

const linesOf = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>)
const textOf = (item: Record<string, unknown> | undefined, name: string) => String(item?.[name])

describe('through pipes', () => {
  const schemas = new Map<string, string | null>()
  const check = createSchemaChecker()
  const ran = new Set<string>()

  beforeAll(async () => {
    const [tree] = linesOf((await pipe(['help', '--json'])).out)
    const visit = ({ usage, output = null, commands = [] }: Node): void => {
      if (usage !== undefined) schemas.set(usage.replace(/^ariftly /, ''), output)
      for (const node of commands) visit(node)
    }
    visit(tree as unknown as Node)
  })

  /** Runs a command, checks each line against its schema, and gives the lines. */
  async function run(command: string, args: readonly string[] = [], input = '', code = 0) {
    const answer = await pipe([...command.split(' '), ...args], { input })
    expect({ command, code: answer.code, err: answer.err }).toEqual({
      command,
      code,
      err: code === 0 ? answer.err : expect.anything(),
    })
    const lines = linesOf(answer.out)
    for (const line of lines)
      expect({ command, fault: check(String(schemas.get(command)), line) }).toEqual({ command, fault: undefined })
    ran.add(command)
    return lines
  }

  test('every command does its work, prints what its schema says and never the key', async () => {
    await Promise.all([
      run('login', ['--with-token', '--profile', 'one'], platformKey).then(() => run('logout', ['--profile', 'one'])),
      run('whoami'),
      run('types').then((types) => expect(types).toHaveLength(10)),
      run('stream-tokens create', ['--task', 't_1', '--ttl-s', '60']),
      run('dead-letters'),
      run('system').then(([found]) => expect(found).toMatchObject({ object: 'system', log: { epoch: 1 } })),
      run('help', ['--json']),
      run('profiles'),
      run('open', ['t_1']),
      keysAndTenants(),
    ])

    const [webhook] = await run('webhooks create', ['--url', receiver.url, '--events', '*', '--description', HOSTILE])
    const id = textOf(webhook, 'id')
    await run('webhooks update', [id, '--rate-limit', '1000', '--body', '{"task_id":null}'])
    await Promise.all([
      run('webhooks list'),
      run('webhooks get', [id]),
      run('webhooks rotate', [id, '--overlap-hours', '1']),
      run('webhooks test', [id, '--type', 'task.complete']),
      run('webhooks stats', [id, '--window', '1h']),
    ])

    const scenario = await run('trigger', ['--scenario', 'task', '--task', 't_1', '--set', 'data.progress=0.4'])
    expect(scenario.map(({ type }) => type)).toEqual([
      'task.created',
      'task.progress',
      'tool_call.executed',
      'artifact.emitted',
      'task.complete',
    ])
    await run('trigger', ['task.progress', '--task', 't_hostile', '--data', '-'], JSON.stringify({ message: LARGE }))
    const delivered = await eventually('6 deliveries are listed', async () => {
      const found = await run('webhooks deliveries', [id, '--status', 'delivered', '--include', 'attempts', '--all'])
      return found.length === 6 ? found : undefined
    })
    const events = await run('events list', ['--order', 'asc', '--include', 'log,deliveries', '--all'])
    expect(events.map((event) => event['id'])).toEqual(expect.arrayContaining(scenario.map((event) => event['id'])))
    expect(events.find((event) => event['task_id'] === 't_hostile')?.['data']).toMatchObject({ message: LARGE })
    await run('events get', [textOf(scenario[0], 'id'), '--include', 'log'])
    expect((await run('tasks')).map((task) => [task['id'], task['created'] !== undefined])).toEqual([['t_1', true]])
    const [first] = await run('timeline', ['t_1'])
    expect(first).toMatchObject({
      event: { type: 'task.created', log: expect.anything() },
      deliveries: [{ attempts: [{ status: 200 }] }],
    })

    const delivery = textOf(delivered?.[0], 'id')
    await Promise.all([
      run('wait', [textOf(scenario[0], 'id'), '--delivered', '--timeout', '60s']),
      run('events tail', ['--task', 't_1', '--since', '1h', '--no-follow']),
      run('events tail', ['--task', 't_hostile', '--since', '1h', '--no-follow']),
      run(
        'events send',
        [],
        `${JSON.stringify({ type: 'task.progress', task_id: 't_3', data: { message: LARGE } })}\n`,
      ),
      run('deliveries list', ['--webhook', id]),
      run('deliveries get', [delivery]),
      run('deliveries redeliver', [delivery]),
      redeliveries(),
      replays(id),
    ])
    await run('webhooks delete', [id, '--yes'])
    expect(await run('audit', ['--action', 'webhook.delete'])).toHaveLength(1)
    const checks = await run('doctor')
    expect(checks.filter(({ status }) => status === 'failed')).toEqual([])
    expect(checks.map(({ check: name, status }) => [name, status])).toEqual(
      expect.arrayContaining([
        ['stream', 'ok'],
        ['resume', 'ok'],
        ['clock', 'ok'],
        ['scopes', 'ok'],
      ]),
    )
    expect([...schemas.keys()].filter((command) => !ran.has(command) && !APART.has(command))).toEqual([])
    expect(printed.filter((text) => text.includes(platformKey))).toEqual([])
  })

  async function redeliveries(): Promise<void> {
    const [redelivery] = await run('redeliveries create', [
      '--status',
      'delivered',
      '--since',
      '1h',
      '--dry-run',
      '--wait',
    ])
    expect(redelivery).toMatchObject({ status: 'completed', dry_run: true })
    await run('redeliveries list')
    await run('redeliveries get', [textOf(redelivery, 'id')])
    await run('redeliveries cancel', [textOf(redelivery, 'id')])
  }

  async function replays(webhook: string): Promise<void> {
    const [replay] = await run('replays create', [webhook, '--since', '1h', '--dry-run', '--wait'])
    await run('replays list', [webhook])
    await run('replays get', [webhook, textOf(replay, 'id')])
    await run('replays cancel', [webhook, textOf(replay, 'id')])
  }

  async function keysAndTenants(): Promise<void> {
    // Names of keys are printable.
    const [made] = await run('keys create', ['--name', '\u202ereader', '--scopes', 'events:read'])
    await run('keys list')
    await run('keys update', [textOf(made, 'id'), '--name', 'reader'])
    const [rotated] = await run('keys rotate', [textOf(made, 'id')])
    await run('keys revoke', [textOf(rotated, 'id'), '--yes'])
    await run('tenants put', ['acme', '--events-per-s', '100'])
    await run('tenants get', ['acme'])
    await run('tenants list')
    await run('tenants delete', ['acme', '--yes'])
  }

  test('data is printed with the bytes that were sent', async () => {
    const data = String.raw`{"task_id":"t_exact","message":"m","n":9007199254740993,"one":1.0,"s":"\u0041"}`
    await pipe(['events', 'send'], { input: `{"type":"task.progress","task_id":"t_exact","data":${data}}\n` })
    const listed = await eventually('the event is listed', async () => {
      const { out } = await pipe(['events', 'list', '--task', 't_exact', '--include', 'log'])
      return out === '' ? undefined : out
    })
    const id = textOf(linesOf(listed ?? '')[0], 'id')
    const others = await Promise.all([
      pipe(['events', 'get', id]),
      pipe(['wait', id]),
      pipe(['timeline', 't_exact']),
      pipe(['events', 'tail', '--task', 't_exact', '--since', '1h', '--no-follow']),
    ])
    for (const text of [listed, ...others.map(({ out }) => out)]) expect(text).toContain(`,"data":${data}`)
  })

  test('an error is one JSON object on standard error, as its schema says', async () => {
    const wrong = await pipe(['webhooks', 'create', '--url', 'ftp://x', '--events', 'task.nothing'])
    const unknown = await pipe(['trigger', 'task.progress', '--set', 'nope=1'])
    const scope = await pipe(['tenants', 'list'], { env: { ARIFTLY_API_KEY: system.apiKey } })
    for (const { err, out } of [wrong, unknown, scope]) {
      expect(out).toBe('')
      expect(linesOf(err).map((line) => check('cli:Error', line))).toEqual([undefined])
    }
    expect([wrong.code, unknown.code, scope.code]).toEqual([1, 1, 4])
    expect(unknown.err).toContain('nope')
    expect(scope.err).toContain('platform')
    expect(linesOf(wrong.err)[0]).toMatchObject({
      error: { request_id: expect.any(String), page: expect.stringContaining(system.url) },
    })
  })

  test('a closed pipe ends quietly', async () => {
    await sendHostile('t_pipe')
    await eventually(
      'the event is listed',
      async () => linesOf((await pipe(['events', 'list', '--task', 't_pipe'])).out).length === 1,
    )
    const script = '"$NODE" "$PROGRAM" events list --task t_pipe | head -c 10 >/dev/null; echo "${PIPESTATUS[0]}"'
    const variables = { ...env(), NODE: process.execPath, PROGRAM: program, PATH: process.env['PATH'] ?? '' }
    expect(await execute('bash', ['-c', script], { env: variables })).toEqual({ stdout: '0\n', stderr: '' })
  })

  test('bash completes words, options and their values', async () => {
    const script = `
      source <("$NODE" "$PROGRAM" completion bash)
      ariftly() { "$NODE" "$PROGRAM" "$@"; }
      complete_at() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=(); _ariftly; echo "\${COMPREPLY[*]}"; }
      complete_at ariftly time
      complete_at ariftly webhooks del
      complete_at ariftly deliveries list --web
      complete_at ariftly deliveries list --status ca
      complete_at ariftly completion ''
      complete_at ariftly trigger task.c
      complete_at ariftly events tail --until task.failed,task.c
      complete_at ariftly events send -f test/cli/habits
      complete_at ariftly webhooks update --body @test/cli/habits
      complete_at ariftly --profile o
      complete_at ariftly webhooks get whk_
      complete_at ariftly webhooks get --help
      ARIFTLY_URL=http://127.0.0.1:1 complete_at ariftly webhooks get whk_`
    const variables = { ...env(), NODE: process.execPath, PROGRAM: program, PATH: process.env['PATH'] ?? '' }
    const made = await pipe(['webhooks', 'create', '--url', receiver.url, '--events', 'session.closed'])
    await pipe(['login', '--profile', 'office'], { input: platformKey })
    const { stdout } = await execute('bash', ['-c', script], { env: variables, cwd: ROOT })
    const [timeline, remove, option, value, shells, ...values] = stdout.split('\n')
    const [types, until, file, atFile, profile, webhooks, flags, unreachable] = values
    expect([types, until]).toEqual(['task.created task.complete', 'task.failed,task.created task.failed,task.complete'])
    expect([file, atFile]).toEqual(['test/cli/habits.e2e.test.ts', '@test/cli/habits.e2e.test.ts'])
    expect(profile).toBe('office')
    expect(webhooks?.split(' ')).toContain(textOf(linesOf(made.out)[0], 'id'))
    expect([flags, unreachable]).toEqual(['--help', ''])
    expect([timeline, remove, option, value]).toEqual(
      ['timeline', 'delete deliveries', '--webhook', 'cancelled'].map((words) =>
        expect.stringContaining(words.split(' ')[0] ?? ''),
      ),
    )
    expect(shells?.split(' ').slice(0, 3)).toEqual(['bash', 'zsh', 'fish'])
  })

  test('it runs with npx from its tarball, and with Node 24 where that is there', async () => {
    const { stdout } = await execute('npx', ['--no', '--offline', 'ariftly', '--version'], {
      cwd: join(program, '../../..'),
    })
    const { version } = JSON.parse(readFileSync(join(ROOT, 'packages/cli/package.json'), 'utf8')) as {
      readonly version: string
    }
    expect(stdout).toBe(`${version}\n`)
    const node = findNode24() ?? process.execPath
    const whoami = await execute(node, [program, 'whoami'], { env: env() })
    expect(linesOf(whoami.stdout)).toHaveLength(1)
  })
})

/** Nothing that drives the terminal but our colours, the erased status and line ends. */
function expectHarmless(raw: string): void {
  // oxlint-disable-next-line no-control-regex
  const text = raw.replaceAll(/\u001b\[\d+m|\r\u001b\[2K|\r\n/g, '')
  expect(/[\p{Cc}\p{Bidi_Control}\u2028\u200b]/u.exec(text)?.[0]).toBeUndefined()
  expect(text).not.toContain(platformKey)
}

describe('in a terminal', () => {
  let task: string
  let webhook: string

  beforeAll(async () => {
    task = 't_terminal'
    const made = await pipe(['webhooks', 'create', '--url', receiver.url, '--events', '*', '--description', HOSTILE])
    webhook = textOf(linesOf(made.out)[0], 'id')
    await pipe(['keys', 'create', '--name', '\u202ereader', '--scopes', 'events:read'])
    await sendHostile(task)
    await eventually(
      'a delivery is listed',
      async () => linesOf((await pipe(['webhooks', 'deliveries', webhook, '--status', 'delivered'])).out).length >= 1,
    )
  })

  test.each([
    ['events list', () => ['--task', task]],
    ['events get', async () => [await eventId()]],
    ['events tail', () => ['--task', task, '--since', '1h', '--no-follow', '--quiet']],
    ['timeline', () => [task]],
    ['webhooks list', () => []],
    ['webhooks get', () => [webhook]],
    ['webhooks test', () => [webhook]],
    ['deliveries list', () => ['--task', task]],
    ['deliveries get', async () => [await deliveryId()]],
    ['wait', async () => [await eventId(), '--delivered']],
    ['webhooks stats', () => [webhook]],
    ['keys list', () => []],
    ['tenants list', () => []],
    ['audit', () => []],
    ['dead-letters', () => []],
    ['types', () => []],
    ['whoami', () => []],
  ] as const)('%s shows what is hostile escaped', async (command, args) => {
    const rest = await args()
    const raw = await startRawTerminal({ program, args: [...command.split(' '), ...rest], env: env() })
    expect(raw.code).toBe(0)
    expectHarmless(raw.text)
  })

  test('events send shows refused lines escaped', async () => {
    const file = join(mkdtempSync(join(tmpdir(), 'cli-lines-')), 'events.ndjson')
    const refused = JSON.stringify({ type: HOSTILE, task_id: task, data: { [HOSTILE]: LARGE } })
    writeFileSync(file, `${HOSTILE}\n${refused}\n`)
    const raw = await startRawTerminal({ program, args: ['events', 'send', '-f', file], env: env() })
    expect(raw.code).toBe(1)
    expect(raw.text.match(/line \d is refused/g)).toHaveLength(2)
    expectHarmless(raw.text)
  })

  test('JSON on a terminal is the same value, in characters that drive nothing', async () => {
    const raw = await startRawTerminal({ program, args: ['events', 'list', '--task', task, '--json'], env: env() })
    expect(raw.text).toMatch(/^[\x20-\x7e]+\r\n$/)
    expect(JSON.parse(raw.text)).toMatchObject({ data: { message: LARGE } })
  })

  test('asks before it deletes, and Ctrl-C and no leave things as they are', async () => {
    const open = () => startInTerminal({ program, args: ['webhooks', 'delete', webhook], env: env() })
    const question = async (cli: ReturnType<typeof open>) =>
      await eventually('the question is on the screen', async () =>
        (await cli.status()).includes('Delete the webhook? [y/N]'),
      )
    for (const [typed, code] of [
      ['\u0003', 2],
      ['n\r', 2],
      ['y\r', 0],
    ] as const) {
      const cli = open()
      await question(cli)
      cli.type(typed)
      expect({ typed, code: await cli.exited }).toEqual({ typed, code })
    }
    expect((await pipe(['webhooks', 'get', webhook])).code).toBe(1)
  })

  test('Ctrl-C ends a request that is not answered', async () => {
    const silent = await startReceiver()
    silent.respondWith(() => ({ instead: 'hang' }))
    const cli = startInTerminal({
      program,
      args: ['events', 'list'],
      env: env({ ARIFTLY_URL: `http://127.0.0.1:${silent.port}` }),
    })
    await eventually('the request is sent', () => silent.requests.length === 1)
    cli.type('\u0003')
    expect(await cli.exited).toBe(2)
    await silent.close()
  })

  const eventId = async () => textOf(linesOf((await pipe(['events', 'list', '--task', task])).out)[0], 'id')
  const deliveryId = async () => textOf(linesOf((await pipe(['deliveries', 'list', '--task', task])).out)[0], 'id')
})
