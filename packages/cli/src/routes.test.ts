import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from '@ariftly/testkit'
import { CHOICES } from './command/choices.ts'
import type { OptionSpec } from './command/command.ts'
import { GLOBAL_OPTIONS } from './command/global-options.ts'
import { listCommands } from './command/list-commands.ts'
import { CLI_SCHEMAS } from './schemas/index.ts'
import { run } from './test-run.ts'
import { TREE } from './tree.ts'

/** Routes without a command of their own. A new route needs a command in `src/commands/resources`, or a line here that says why it has none. */
const EXEMPT: Readonly<Record<string, string>> = {
  'POST /v1/events': 'called by events send and trigger, each in its own way',
  'GET /v1/events/stream': 'opened by events tail, listen and doctor',
  'POST /v1/events/stream': 'the same stream, for browsers that send a form',
}
/** Parameters without an option; `types` is another name of `type`. */
const NO_OPTION: ReadonlySet<string> = new Set(['If-None-Match', 'types'])

interface Schema {
  readonly $ref?: string
  readonly enum?: readonly string[]
  readonly items?: Schema
  readonly properties?: Readonly<Record<string, Schema>>
}

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema: Schema }[]
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> }
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> }
}

const file = join(import.meta.dirname, '../../../schemas/openapi.json')
const document = JSON.parse(readFileSync(file, 'utf8')) as Document
// Documents and probes are for browsers and load balancers.
const routes = Object.entries(document.paths)
  .filter(([path]) => path.startsWith('/v1/'))
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
  )
const commands = listCommands(TREE).map(({ words, command }) => ({ ...command, title: words.join(' ') }))
/** Their examples need a file, or do not end; they have tests of their own. */
const APART: ReadonlySet<string> = new Set(['events send', 'events tail', 'listen', 'wait'])
const calling = commands.filter((command) => command.routes !== undefined && !APART.has(command.title))

function resolve(schema: Schema): Schema {
  const name = schema.$ref?.split('/').at(-1)
  return name === undefined ? schema : (document.components.schemas[name] ?? schema)
}

/** A member of a body, also of an object in it. */
function memberAt(schema: Schema, [name = '', ...path]: readonly string[]): Schema | undefined {
  const found = resolve(schema).properties?.[name]
  return found === undefined || path.length === 0 ? found && resolve(found) : memberAt(found, path)
}

const flagsOf = ({ name, short }: OptionSpec) => [`--${name}`, ...(short === undefined ? [] : [`-${short}`])]
const parameterNames = (options: readonly OptionSpec[]) => options.map(({ parameter = '' }) => parameter.split('.')[0])

describe('the commands', () => {
  test('cover every route of the API, and no other', () => {
    const covered = calling.flatMap((command) => command.routes ?? [])
    const known = routes.map(({ route }) => route)
    expect(covered.filter((route) => !known.includes(route))).toEqual([])
    expect(known.filter((route) => !covered.includes(route) && EXEMPT[route] === undefined)).toEqual([])
  })

  test('have no option with the name of a global one, or of another one of their own', () => {
    const global = [...GLOBAL_OPTIONS.flatMap(flagsOf), '--help', '-h']
    for (const { title, options = [] } of commands) {
      const flags = [...global, ...options.flatMap(flagsOf)]
      expect({ title, taken: flags.filter((flag, at) => flags.indexOf(flag) < at) }).toEqual({ title, taken: [] })
    }
  })

  test('know the types of events that the API knows', () => {
    const list = routes.find(({ route }) => route === 'GET /v1/events')?.operation.parameters
    const type = list?.find(({ name }) => name === 'type')?.schema
    expect(type && resolve(resolve(type).items ?? {}).enum).toEqual(CHOICES.eventType)
  })

  test.each(calling)(
    '$title has an option for each parameter and each member of the body',
    ({ routes: own, options = [] }) => {
      for (const { operation } of routes.filter(({ route }) => own?.includes(route))) {
        const given = parameterNames(options)
        for (const { name, in: where, schema } of operation.parameters ?? []) {
          if (where === 'path' || NO_OPTION.has(name)) continue
          if (where === 'header') expect(options.map((option) => option.name)).toContain(name.toLowerCase())
          else expect(given).toContain(name)
          const choices = options.find((option) => option.parameter === name)?.choices
          const words = resolve(schema).enum ?? resolve(schema).items?.enum
          if (choices !== undefined) expect(choices).toEqual(words)
        }
        const body = operation.requestBody?.content['application/json']?.schema
        for (const { parameter = '', choices } of options) {
          const member = body && memberAt(body, parameter.split('.'))
          if (choices !== undefined && member?.enum !== undefined) {
            // `--body` can set null.
            expect(choices).toEqual(member.enum.filter((word) => word !== null))
          }
        }
        const members = Object.keys((body && resolve(body).properties) ?? {})
        expect(
          members.filter((name) => !given.includes(name) && !options.some((option) => option.name === 'body')),
        ).toEqual([])
      }
    },
  )
})

test.each(commands)('what $title prints as JSON has a published schema', ({ title, output }) => {
  // A script, and what the API answers.
  if (title === 'completion' || title === 'api') return
  const [source, name = ''] = (output ?? '').split(':')
  const schemas = source === 'api' ? document.components.schemas : (CLI_SCHEMAS['$defs'] as object)
  expect(Object.keys(schemas)).toContain(name)
})

describe('examples', () => {
  let api: Receiver

  beforeAll(async () => {
    api = await startReceiver()
    const answer = { object: 'list', data: [], has_more: false, next_cursor: null, id: 'x', status: 'completed' }
    api.respondWith(({ method }) => ({
      status: method === 'DELETE' ? 204 : 200,
      headers: { 'content-type': 'application/json' },
      ...(method === 'DELETE' ? {} : { body: JSON.stringify(answer) }),
    }))
  })

  afterAll(async () => {
    await api.close()
  })

  test.each(calling)('that of $title calls its route', async ({ example, routes: own = [] }) => {
    const before = api.requests.length
    const argv = example
      .split(' ')
      .slice(1)
      .map((word) => word.replaceAll("'", ''))
    const url = `http://127.0.0.1:${api.port}`
    const ran = await run(argv.concat('--yes'), { env: { ARIFTLY_URL: url, ARIFTLY_API_KEY: 'k' } })
    const called = api.requests.slice(before).map(({ method, path }) => `${method} ${path.split('?')[0]}`)
    const pattern = new RegExp(`^${own[0]?.replaceAll(/\{\w+\}/g, '[\\w]+')}$`)
    expect({ ran, called }).toEqual({
      ran: expect.objectContaining({ code: 0, err: '' }),
      called: [expect.stringMatching(pattern)],
    })
  })

  test.each(commands)('that of $title begins with its words', ({ title, example }) => {
    expect(`${example} `.startsWith(`ariftly ${title} `)).toBe(true)
  })
})
