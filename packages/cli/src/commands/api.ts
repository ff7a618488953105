import type { Answer, ApiRequest, Ariftly } from '@ariftly/sdk'
import { AnswerText } from '../command/answer-text.ts'
import type { Command } from '../command/command.ts'
import type { Context } from '../command/context.ts'
import type { Input } from '../command/input.ts'
import { CliError } from '../errors/cli-error.ts'
import { show } from '../terminal/show.ts'

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const satisfies readonly ApiRequest['method'][]

/** `ariftly api <method> <path>`: any route, also one that this version does not know. */
export const api: Command = {
  name: 'api',
  summary: 'Call any route of the API, and print its answer unchanged.',
  description:
    'Retries, errors and exit codes are those of all commands. With --all each item of a list is printed on a line of its own.',
  args: [
    { name: 'method', choices: METHODS, summary: METHODS.join(', ') },
    { name: 'path', summary: 'path with its query: /v1/events?limit=5' },
  ],
  options: [
    {
      name: 'data',
      short: 'd',
      shown: 'text',
      kind: 'source',
      summary: 'the body, @file, or - for standard input; sent unchanged, as JSON unless --header says otherwise',
    },
    { name: 'header', short: 'H', shown: 'header', many: true, summary: "a header: 'Accept: application/x-ndjson'" },
    { name: 'all', summary: 'of a list, all pages' },
    { name: 'include', short: 'i', summary: 'also print the status and the headers, on standard error' },
  ],
  example: "ariftly api GET '/v1/events?task_id=t_1' --all",
  async run(context, input) {
    const path = input.required('path')
    const request: ApiRequest = {
      method: input.required('method') as ApiRequest['method'],
      path: path.startsWith('/') ? path : `/${path}`,
      headers: Object.fromEntries(input.list('header').map(readHeader)),
      body: input.text('data'),
    }
    const text = new AnswerText(context)
    const client = await context.client({ fetch: text.fetch })
    await (input.flag('all') ? printItems : printAnswer)({ context, input, client, request, text })
  },
}

interface ApiCall {
  readonly context: Context
  readonly input: Input
  readonly client: Ariftly
  readonly request: ApiRequest
  readonly text: AnswerText
}

async function printAnswer(call: ApiCall): Promise<void> {
  const { context, text } = call
  const { headers } = await ask(call, call.request)
  if (!context.isTty) return await context.out.bytes(text.bytes)
  if (headers.get('content-type')?.includes('json') === true) return await context.out.jsonText(text.text)
  for (const line of new TextDecoder().decode(text.bytes).split(/\r?\n/)) await context.out.line(show`${line}`)
}

/** Follows `next_cursor`. */
async function printItems(call: ApiCall): Promise<void> {
  const { context, request, text } = call
  for (let path = request.path; ;) {
    const page = JSON.parse((await ask(call, { ...request, path })).text) as {
      readonly data?: unknown
      readonly next_cursor?: string | null
    }
    if (!Array.isArray(page.data)) {
      throw new CliError('no_list', 'The answer is no list.', { pointer: '--all', remedy: 'Leave --all out.' })
    }
    for (const item of text.items) await context.out.jsonText(item)
    context.signal.throwIfAborted()
    if (!page.next_cursor) return
    const [route = '', query] = request.path.split('?')
    const parameters = new URLSearchParams(query)
    parameters.set('cursor', page.next_cursor)
    path = `${route}?${parameters.toString()}`
  }
}

async function ask({ context, input, client }: ApiCall, request: ApiRequest): Promise<Answer> {
  const answer = await client.request(request, { signal: context.signal })
  if (!input.flag('include')) return answer
  await context.err.line(show`${answer.status}`)
  for (const [name, value] of answer.headers) await context.err.line(show`${name}: ${value}`)
  return answer
}

/** The key is a header that commands have already: it is not to be in a history of a shell. */
function readHeader(text: string): readonly [string, string] {
  const [, name = '', value = ''] = /^([^:]+):\s*(.*)$/.exec(text) ?? []
  if (name === '') throw badHeader(`--header must be a name, a colon and a value: ${text.slice(0, 20)}`)
  if (name.toLowerCase() === 'authorization')
    throw badHeader('--header takes no key: it would be in the list of processes.')
  return [name, value]
}

function badHeader(message: string): CliError {
  return new CliError('invalid_option', message, { pointer: '--header' })
}
