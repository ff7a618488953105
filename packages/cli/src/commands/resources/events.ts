import type { GetEventQuery, ListEventsQuery, ListTasksQuery, QueriedEvent, Task } from '@ariftly/sdk'
import type { Command, OptionSpec } from '../../command/command.ts'
import { itemCommand } from '../../command/item-command.ts'
import { listCommand } from '../../command/list-command.ts'
import { rawMember } from '../../json/raw-json.ts'
import { IDS } from './ids.ts'
import { AGENT, BEFORE, SESSION, SINCE, TASK, TYPES } from './options.ts'

/** Members of `data` are shown in a list as far as these many characters. */
const EXCERPT_MAX = 60

const INCLUDE: OptionSpec = {
  name: 'include',
  shown: 'what',
  kind: 'list',
  choices: ['log', 'deliveries'],
  summary: 'also when the log and queries had it, and its deliveries to webhooks',
  parameter: 'include',
}
const ORDER: OptionSpec = {
  name: 'order',
  shown: 'order',
  choices: ['desc', 'asc'],
  summary: 'asc for the oldest first',
  parameter: 'order',
}

/** `ariftly events list` and `get`. */
export const EVENTS: readonly Command[] = [
  listCommand<QueriedEvent, ListEventsQuery>({
    name: 'list',
    summary: 'List events, newest first.',
    route: 'GET /v1/events',
    output: 'api:Event',
    options: [TASK, SESSION, AGENT, TYPES, SINCE, BEFORE, ORDER, INCLUDE],
    example: 'ariftly events list --task t_1 --type task.complete,task.failed --since 1h',
    columns: [
      { title: 'CREATED', value: (event) => event.created_at },
      { title: 'ID', value: (event) => event.id },
      { title: 'TYPE', value: (event) => event.type },
      { title: 'TASK', value: (event) => event.task_id },
      { title: 'AGENT', value: (event) => event.agent },
      { title: 'DATA', value: (_, text) => excerpt(rawMember(text, 'data') ?? '') },
    ],
    list: (client, _, query, options) => client.events.list(query, options),
  }),
  itemCommand<GetEventQuery>({
    name: 'get',
    summary: 'Show one event.',
    route: 'GET /v1/events/{id}',
    output: 'api:Event',
    args: [IDS.event],
    options: [INCLUDE],
    example: 'ariftly events get evt_01h455vb4pex5vsknk084sn02q --include log,deliveries',
    call: (client, input, query, options) => client.events.get(input.required('id'), query, options),
  }),
]

function excerpt(text: string): string {
  return text.length <= EXCERPT_MAX ? text : `${text.slice(0, EXCERPT_MAX - 1)}…`
}

/** `ariftly tasks`. */
export const tasks = listCommand<Task, ListTasksQuery>({
  name: 'tasks',
  summary: 'List tasks, the newest first, with their newest event.',
  route: 'GET /v1/tasks',
  output: 'api:Task',
  options: [AGENT, SINCE, BEFORE],
  example: 'ariftly tasks --agent analyzer --since 1h',
  columns: [
    { title: 'CREATED', value: (task) => task.created_at },
    { title: 'TASK', value: (task) => task.id },
    { title: 'AGENT', value: (task) => task.agent },
    { title: 'LAST', value: (task) => task.last.type },
    { title: 'AT', value: (task) => task.last.created_at },
  ],
  list: (client, _, query, options) => client.tasks.list(query, options),
})
