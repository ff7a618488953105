import type {
  AuditEntry,
  DeadLetter,
  EventTypeDescription,
  ListAuditEntriesQuery,
  ListDeadLettersQuery,
  StreamTokenRequest,
} from '@ariftly/sdk'
import type { Command } from '../../command/command.ts'
import { itemCommand } from '../../command/item-command.ts'
import { listCommand } from '../../command/list-command.ts'
import { AGENT, BEFORE, SESSION, SINCE, TASK, TENANT } from './options.ts'

/** `ariftly audit`. */
export const audit = listCommand<AuditEntry, ListAuditEntriesQuery>({
  name: 'audit',
  summary: 'List who changed keys, tenants and webhooks, newest first.',
  route: 'GET /v1/audit',
  output: 'api:AuditEntry',
  options: [
    TENANT,
    { name: 'action', shown: 'action', summary: 'only this one, such as webhook.create', parameter: 'action' },
    SINCE,
    BEFORE,
  ],
  example: 'ariftly audit --since 7d --action webhook.delete',
  columns: [
    { title: 'AT', value: (entry) => entry.at },
    { title: 'ACTION', value: (entry) => entry.action },
    { title: 'TARGET', value: (entry) => entry.target },
    { title: 'CHANGED', value: (entry) => entry.changes.map(({ member }) => member).join(' ') },
    { title: 'BY', value: (entry) => entry.key_id },
    { title: 'REQUEST', value: (entry) => entry.request_id },
  ],
  list: (client, _, query, options) => client.audit.list(query, options),
})

/** `ariftly dead-letters`. */
export const deadLetters = listCommand<DeadLetter, ListDeadLettersQuery>({
  name: 'dead-letters',
  summary: 'List records of the log that are no events, newest first.',
  route: 'GET /v1/dead-letters',
  output: 'api:DeadLetter',
  options: [{ name: 'reason', shown: 'code', summary: 'only for this reason', parameter: 'reason' }, SINCE, BEFORE],
  example: 'ariftly dead-letters --since 1d',
  columns: [
    { title: 'AT', value: (record) => record.at },
    { title: 'ID', value: (record) => record.id },
    { title: 'REASON', value: (record) => record.reason },
    { title: 'SOURCE', value: (record) => record.source },
    { title: 'DETAIL', value: (record) => record.detail },
  ],
  list: (client, _, query, options) => client.deadLetters.list(query, options),
})

/** `ariftly types`. */
export const types = listCommand<EventTypeDescription, object>(
  {
    name: 'types',
    summary: 'List the types of events, with the schema and an example of their data.',
    route: 'GET /v1/event-types',
    output: 'api:EventTypeDescription',
    example: 'ariftly types',
    columns: [
      { title: 'TYPE', value: ({ type }) => type },
      { title: 'DESCRIPTION', value: ({ description }) => description },
    ],
    list: (client, _input, _query, options) => client.eventTypes.list(options),
  },
  false,
)

/** `ariftly stream-tokens create`. */
export const STREAM_TOKENS: readonly Command[] = [
  itemCommand<StreamTokenRequest>({
    name: 'create',
    summary: 'Create a token that opens one stream, for a browser.',
    route: 'POST /v1/stream-tokens',
    output: 'api:StreamToken',
    options: [
      TASK,
      SESSION,
      AGENT,
      {
        name: 'types',
        shown: 'types',
        kind: 'list',
        summary: 'only of these types, separated by commas',
        parameter: 'types',
      },
      {
        name: 'ttl-s',
        shown: 'n',
        kind: 'integer',
        min: 10,
        max: 86_400,
        summary: 'how long it is valid, in seconds',
        parameter: 'ttl_s',
      },
    ],
    example: 'ariftly stream-tokens create --task t_1 --ttl-s 600',
    call: (client, _, request, options) => client.streamTokens.create(request, options),
  }),
]
