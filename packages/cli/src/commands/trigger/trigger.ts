import { randomUUID } from 'node:crypto'
import type { EventTypeDescription, NewEvent } from '@ariftly/sdk'
import type { Command } from '../../command/command.ts'
import type { Context } from '../../command/context.ts'
import type { Input } from '../../command/input.ts'
import { CliError } from '../../errors/cli-error.ts'
import { show } from '../../terminal/show.ts'
import { buildEvents } from './build-events.ts'

/** What `--scenario` sends, in order. */
const SCENARIOS: Readonly<Record<string, readonly string[]>> = {
  task: ['task.created', 'task.progress', 'tool_call.executed', 'artifact.emitted', 'task.complete'],
  failure: ['task.created', 'task.progress', 'task.failed'],
  approval: ['task.created', 'approval.requested', 'approval.resolved', 'task.complete'],
  session: ['session.message', 'session.closed'],
}

/** `ariftly trigger`: sends the catalogue's example of a type, with changes. */
export const trigger: Command = {
  name: 'trigger',
  summary: 'Send an example of an event type, or of all that happens in a task.',
  description: 'Values of --set are JSON, or text where they are no JSON.',
  args: [{ name: 'type', summary: 'type of the event; not with --scenario', optional: true }],
  options: [
    { name: 'set', shown: 'path=value', many: true, summary: 'a member: data.progress=0.4, task_id=t_1' },
    {
      name: 'data',
      shown: 'json',
      kind: 'json',
      summary: 'replaces members of the data: JSON, @file, or - for standard input',
    },
    { name: 'scenario', shown: 'name', choices: Object.keys(SCENARIOS), summary: 'several events, in order' },
    { name: 'task', shown: 'id', summary: 'the task; default: a new one' },
    { name: 'session', shown: 'id', summary: 'the session' },
    { name: 'agent', shown: 'name', summary: 'who sends it; default: ariftly-cli' },
    { name: 'allow-unknown', summary: 'also send members that the catalogue does not name' },
    { name: 'dry-run', summary: 'print the events and send nothing' },
  ],
  example: 'ariftly trigger task.progress --set data.progress=0.4 --task t_1',
  output: 'cli:TriggeredEvent',
  async run(context, input) {
    const types = typesOf(input)
    const client = await context.client()
    const catalogue: EventTypeDescription[] = []
    for await (const entry of client.eventTypes.list({ signal: context.signal })) catalogue.push(entry)
    const events = buildEvents(types, catalogue, {
      sets: input.list('set'),
      data: input.json('data'),
      task: input.text('task'),
      session: input.text('session'),
      agent: input.text('agent'),
      allowUnknown: input.flag('allow-unknown'),
      newId: (prefix) => `${prefix}_${randomUUID().replaceAll('-', '')}`,
    })
    if (input.flag('dry-run')) {
      for (const event of events) await print(context, undefined, event)
      return
    }
    const sent = await client.events.send(events, { signal: context.signal })
    for (const [at, event] of events.entries()) await print(context, sent[at]?.id, event)
  },
}

function typesOf(input: Input): readonly string[] {
  const type = input.text('type')
  const scenario = input.text('scenario')
  if (type !== undefined && scenario === undefined) return [type]
  if (type === undefined && scenario !== undefined) return SCENARIOS[scenario] ?? []
  throw new CliError('usage', 'Name either a type or a scenario.', {
    pointer: type === undefined ? '<type>' : '--scenario',
    remedy: `Types are those of ariftly types; scenarios are ${Object.keys(SCENARIOS).join(', ')}.`,
  })
}

async function print({ out, json }: Context, id: string | undefined, event: NewEvent): Promise<void> {
  const { type, task_id = null, session_id = null, agent = null, data } = event
  if (json) {
    await out.json({ sent: id !== undefined, id: id ?? event.id ?? null, type, task_id, session_id, agent, data })
    return
  }
  await out.line(
    show`${id ?? 'not sent'}  ${out.paint.bold(type)}  ${task_id ?? session_id ?? '-'}  ${JSON.stringify(data)}`,
  )
}
