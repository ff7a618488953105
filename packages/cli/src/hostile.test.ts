import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { startReceiver, type ReceivedRequest, type Receiver } from '@ariftly/testkit'
import { listCommands } from './command/list-commands.ts'
import { jsonLines, run, type Ran } from './test-run.ts'
import { TREE } from './tree.ts'

/** Clears the screen, sets a title, moves the cursor, turns text round, hides text, ends a line. */
const HOSTILE = '\u001b[2J\u001b]0;owned\u0007\u009b1;1H\r\n\u202egnp\u2066\u200b\u2028\u{e0041}'
/** How it begins where it is shown. */
const SHOWN = '\\x1b[2J\\x1b]0;owned'
const EVENT = 'evt_01h455vb4pex5vsknk084sn02q'

interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
  readonly additionalProperties?: boolean | Schema
}

interface Operation {
  readonly responses: Readonly<
    Record<string, { readonly content?: { readonly 'application/json'?: { readonly schema: Schema } } }>
  >
}

const document = JSON.parse(readFileSync(join(import.meta.dirname, '../../../schemas/openapi.json'), 'utf8')) as {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

/** Filters hold filters. */
const DEPTH_MAX = 8

/** A value with all members that a schema names, in which every text is hostile. */
function hostileValue(schema: Schema, depth = 0): unknown {
  const { $ref, anyOf, oneOf, type, items = {}, properties = {}, additionalProperties } = schema
  if (depth > DEPTH_MAX) return HOSTILE
  const below = (each: Schema) => hostileValue(each, depth + 1)
  if ($ref !== undefined) return below(document.components.schemas[$ref.split('/').at(-1) ?? ''] ?? {})
  const [one] = (anyOf ?? oneOf ?? []).filter((each) => each.type !== 'null')
  if (one !== undefined) return below(one)
  switch (typeof type === 'string' ? type : type?.find((each) => each !== 'null')) {
    case 'object': {
      const members = Object.entries(properties).map(([name, member]) => [name, below(member)] as const)
      const more = typeof additionalProperties === 'object' ? below(additionalProperties) : HOSTILE
      return { ...Object.fromEntries(members), ...(additionalProperties === false ? {} : { [HOSTILE]: more }) }
    }
    case 'array':
      return [below(items)]
    case 'integer':
    case 'number':
      return 1
    case 'boolean':
      return false
    default:
      return HOSTILE
  }
}

const operations = Object.entries(document.paths)
  .flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })))
  .map(({ path, method, operation }) => ({
    pattern: new RegExp(`^${method.toUpperCase()} ${path.replaceAll(/\{\w+\}/g, '[^/?]+')}$`),
    operation,
  }))

/** A successful answer of a route, as the document says, but hostile; the first page of a list says that more follow. */
function answer({ method, path }: ReceivedRequest, isFirst: boolean) {
  const [place] = path.split('?')
  const found = operations.findLast(({ pattern }) => pattern.test(`${method} ${place}`))?.operation
  const [status, response] = Object.entries(found?.responses ?? {}).find(([code]) => code.startsWith('2')) ?? ['404']
  const schema = response?.content?.['application/json']?.schema
  if (schema === undefined) return { status: Number(status) }
  const value = { ...(hostileValue(schema) as object), ...(schema.properties?.['data'] && { has_more: isFirst }) }
  return { status: Number(status), headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) }
}

/** A stream that resets, has an event and is live, all of it hostile. */
function streamOf(names: readonly string[]): string {
  const event = { id: EVENT, object: 'event', type: HOSTILE, task_id: HOSTILE, agent: HOSTILE, created_at: HOSTILE }
  const frames: Readonly<Record<string, object>> = {
    reset: { reason: HOSTILE, requested: HOSTILE, earliest: HOSTILE },
    checkpoint: { live: true },
    event: { ...event, session_id: null, data: { [HOSTILE]: 'x'.repeat(250_000) } },
  }
  return names
    .map(
      (name) =>
        `event: ${name === 'event' ? 'message' : `stream.${name}`}\ndata: ${JSON.stringify(frames[name])}\nid: p\n\n`,
    )
    .join('')
}

let api: Receiver
let url: string
let stream: string
let requests: number

beforeAll(async () => {
  api = await startReceiver()
  url = `http://127.0.0.1:${api.port}`
  api.respondWith((request) => {
    requests += 1
    if (!request.path.startsWith('/v1/events/stream')) return answer(request, requests === 1)
    return { headers: { 'content-type': 'text/event-stream' }, body: stream }
  })
})

beforeEach(() => {
  requests = 0
})

afterAll(async () => {
  await api.close()
})

const inTerminal = async (argv: readonly string[]) =>
  await run(argv, { isTty: true, env: { ARIFTLY_URL: url, ARIFTLY_API_KEY: 'k' } })

/** Nothing that a terminal obeys or hides, but our own colours, line ends and the status line. */
function expectHarmless({ out, err }: Ran): void {
  // oxlint-disable-next-line no-control-regex
  const text = `${out}${err}`.replaceAll(/\u001b\[\d+m|\r\u001b\[2K|\n/g, '')
  expect(/[\p{Cc}\p{Bidi_Control}\u2028\u200b\u{e0041}]/u.exec(text)).toBeNull()
}

const commands = listCommands(TREE)
  .filter(({ command }) => command.routes !== undefined)
  .map(({ words, command }) => ({ title: words.join(' '), command }))

describe('an answer in which every text is hostile', () => {
  test.each(commands)('is shown escaped by $title', async ({ command: { example, output } }) => {
    const argv = example
      .split(' ')
      .slice(1)
      .map((word) => word.replaceAll("'", ''))
    const ran = await inTerminal([...argv, '--yes'])
    expect({ code: ran.code, requests: requests > 0 }).toEqual({ code: 0, requests: true })
    expectHarmless(ran)
    if (output !== 'cli:Gone') expect(ran.out).toContain(SHOWN)
  })

  test('is shown escaped by timeline, wait and doctor', async () => {
    stream = streamOf(['checkpoint'])
    const [timeline, waited, doctor] = [
      await inTerminal(['timeline', 't_1']),
      await inTerminal(['wait', EVENT]),
      await inTerminal(['doctor', '--webhook', 'whk_01h455vb4pex5vsknk084sn02q']),
    ]
    for (const each of [timeline, waited, doctor]) expectHarmless(each)
    expect([timeline.out, doctor.out].filter((text) => !text.includes(SHOWN))).toEqual([])
    // An event is JSON, on a terminal too.
    expect(JSON.parse(waited.out)).toMatchObject({ id: HOSTILE })
  })
})

describe('a hostile stream', () => {
  test('is shown escaped by events tail', async () => {
    stream = streamOf(['reset', 'event', 'checkpoint'])
    const ran = await inTerminal(['events', 'tail', '--no-follow', '--since', '1h', '--accept-gap'])
    expect(ran.code).toBe(0)
    expectHarmless(ran)
    expect(ran.out.split('\n')).toEqual([expect.stringContaining(SHOWN), ''])
    expect(ran.err).toContain(SHOWN)
  })

  test('is shown escaped by listen, which ends at its reset', async () => {
    stream = streamOf(['reset'])
    const ran = await inTerminal(['listen', '--forward-to', 'http://127.0.0.1:1/'])
    expect(ran.code).toBe(1)
    expectHarmless(ran)
    expect(ran.err).toContain('stream_reset')
    expect(ran.err).toContain(SHOWN)
  })
})

test('what is hostile stays the same value in JSON', async () => {
  const ran = await run(['tenants', 'list'], { env: { ARIFTLY_URL: url, ARIFTLY_API_KEY: 'k' } })
  expect(JSON.parse(ran.out)).toMatchObject({ id: HOSTILE })
  const listening = await run(['listen', '--forward-to', 'http://127.0.0.1:1/'], {
    env: { ARIFTLY_URL: url, ARIFTLY_API_KEY: 'k' },
  })
  const [failed] = jsonLines(listening.err.slice(listening.err.indexOf('{"error"')))
  expect(failed).toMatchObject({ error: { message: expect.stringContaining(HOSTILE) } })
})
