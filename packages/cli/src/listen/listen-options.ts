import { join } from 'node:path'
import { checkSecret } from '@ariftly/signatures'
import { CliError } from '../errors/cli-error.ts'
import type { OptionSpec } from '../command/command.ts'
import type { Context } from '../command/context.ts'
import type { Input } from '../command/input.ts'

/** Options of `listen`. */
export const LISTEN_OPTIONS: readonly OptionSpec[] = [
  { name: 'forward-to', shown: 'url', required: true, summary: 'where events are posted to, on this machine' },
  {
    name: 'since',
    kind: 'time',
    shown: 'time',
    summary: 'start, the first time; later it continues: 10m ago, or 2026-11-28T10:00:00Z',
  },
  { name: 'events', kind: 'list', shown: 'types', many: true, summary: 'types and groups (task.*); default: all' },
  { name: 'task', shown: 'id', summary: 'only of this task' },
  { name: 'session', shown: 'id', summary: 'only of this session' },
  { name: 'agent', shown: 'name', summary: 'only of this agent' },
  {
    name: 'webhook',
    shown: 'id',
    idPrefix: 'whk_',
    summary: 'what this webhook would get, in place of the options above',
  },
  { name: 'name', shown: 'name', summary: 'name of the state, so that several can run; default: "default"' },
  {
    name: 'secret-file',
    shown: 'path',
    kind: 'secret',
    summary:
      'the secret that signs what is forwarded, or - for standard input; otherwise one is made, kept, and shown once',
  },
  { name: 'concurrency', kind: 'integer', shown: 'n', min: 1, max: 256, summary: 'tasks at a time; default 8' },
  {
    name: 'max-attempts',
    kind: 'integer',
    shown: 'n',
    min: 1,
    max: 1000,
    summary: 'before an event is given up; default 5',
  },
  {
    name: 'attempt-timeout',
    kind: 'duration',
    shown: 'time',
    min: 100,
    max: 600_000,
    summary: 'of an attempt; default 15s',
  },
  { name: 'accept-gap', summary: 'continue where events may be missing, instead of ending' },
  { name: 'allow-remote-target', summary: 'let events go to other machines' },
  { name: 'retry-failed', summary: 'post the events that were given up again, and end' },
]

/** Options of `listen`. */
export interface ListenOptions {
  readonly forwardTo: string
  readonly after: string | undefined
  readonly events: readonly string[]
  readonly task: string | undefined
  readonly session: string | undefined
  readonly agent: string | undefined
  readonly webhook: string | undefined
  readonly secret: string | undefined
  readonly concurrency: number
  readonly attemptsMax: number
  readonly attemptTimeoutMs: number
  readonly acceptsGap: boolean
  readonly allowsRemote: boolean
  readonly retriesFailed: boolean
  readonly statePath: string
  readonly failedPath: string
}

/** Reads and checks them. Throws a CliError before any request is made. */
export function readListenOptions(context: Context, input: Input): ListenOptions {
  const name = input.text('name') ?? 'default'
  if (!/^\w[\w.-]{0,63}$/.test(name)) throw invalid('name', 'consists of letters, digits, dots and dashes')
  const secret = input.text('secret-file')
  const verdict = secret === undefined ? undefined : checkSecret(secret)
  if (verdict?.ok === false) throw invalid('secret-file', verdict.message)
  const narrowing = ['events', 'task', 'session', 'agent'].filter((each) => isGiven(input, each))
  const webhook = input.text('webhook')
  if (webhook !== undefined && narrowing.length > 0)
    throw invalid(narrowing[0] ?? '', 'cannot be given together with --webhook')
  return {
    forwardTo: input.required('forward-to'),
    after: input.text('since'),
    events: input.list('events'),
    task: input.text('task'),
    session: input.text('session'),
    agent: input.text('agent'),
    webhook,
    secret,
    concurrency: input.number('concurrency') ?? 8,
    attemptsMax: input.number('max-attempts') ?? 5,
    attemptTimeoutMs: input.number('attempt-timeout') ?? 15_000,
    acceptsGap: input.flag('accept-gap'),
    allowsRemote: input.flag('allow-remote-target'),
    retriesFailed: input.flag('retry-failed'),
    statePath: join(context.folders.state, 'listen', `${name}.json`),
    failedPath: join(context.folders.state, 'listen', `${name}.failed.ndjson`),
  }
}

function isGiven(input: Input, name: string): boolean {
  const value = input.value(name)
  return Array.isArray(value) ? value.length > 0 : value !== undefined
}

function invalid(name: string, message: string): CliError {
  return new CliError('invalid_option', `--${name} ${message}.`, { pointer: `--${name}` })
}
