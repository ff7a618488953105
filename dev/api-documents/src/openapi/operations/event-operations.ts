import { LIMITS } from '@ariftly/events'
import { catalogue } from '@ariftly/events/catalogue'
import { Type } from '@sinclair/typebox'
import { POSTED_EXAMPLES } from '../../json-schemas/event-schemas.ts'
import { identifierSchema, oneOf } from '@ariftly/contract'
import type { AnswerHeader, Example, Operations, QueryParameter } from '../operation.ts'
import { instant, NAME_FILTERS, PAGE, pageOf, typesFilters } from '../parameters.ts'
import { listOf, ref } from '../schema-ref.ts'

const POST_DESCRIPTION = `Writes events to the log. An entry answered \`accepted\` is safe there.

One event, or an array, or one a line (NDJSON): at most ${LIMITS.eventsPerRequestMax.toLocaleString('en')} events and ${LIMITS.requestBytesMax / 1024 / 1024} MiB (unpacked) a request. \`Content-Encoding\` may be gzip, deflate or br.

**CloudEvents** 1.0 are accepted over HTTP in all three modes: binary (\`ce-\` headers with a JSON body that is \`data\`), structured (the schema is the component \`NewCloudEvent\`) and batched (an array of it). \`type\` is the event's type; extension \`taskid\`, otherwise \`subject\`, its task (of \`session.*\` without \`taskid\`, \`subject\` is the session); \`sessionid\` and \`agent\` are extensions; \`time\` is \`created_at\`. An \`id\` that is no \`evt_…\` makes a repeated post harmless together with \`source\` and \`time\`, which is then required.

All accepted: 202. Some refused: 207 with one result an entry. All refused: 422. When the log cannot take events: 503 with \`Retry-After\`; post the entries with \`retry\` again **with the ids of the answer**, so that a late write is not doubled.`

const BATCH: readonly Example[] = [
  {
    name: 'batch',
    summary: 'Several events at once',
    value: POSTED_EXAMPLES.slice(0, 3).map(({ event }) => event),
  },
]

const cloudEvent = (time: string): object => ({
  specversion: '1.0',
  id: 'step-17',
  source: '/fleets/analyzers',
  type: 'task.progress',
  subject: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5',
  time,
  agent: 'analyzer',
  data: catalogue['task.progress'].example,
})

const NDJSON = POSTED_EXAMPLES.slice(1, 3)
  .map(({ event }) => `${JSON.stringify(event)}\n`)
  .join('')

const RETRY_AFTER = {
  name: 'Retry-After',
  description: 'Seconds; set when an entry says `retry`.',
  schema: Type.Integer(),
}

const INCLUDE: QueryParameter = {
  name: 'include',
  description:
    '`log`: when the event was appended to the log, and when lists could show it. `deliveries`: its deliveries to webhooks; needs the scope `webhooks` too, and `limit` ≤ 100.',
  schema: Type.Array(oneOf(['log', 'deliveries']), { minItems: 1, uniqueItems: true }),
  example: ['log', 'deliveries'],
  commaList: true,
}

/** https://www.ietf.org/archive/id/draft-ietf-httpapi-ratelimit-headers-10.html */
const RATE_LIMIT: readonly AnswerHeader[] = [
  {
    name: 'RateLimit-Policy',
    description:
      "The key's quotas: `q` a `w` seconds, in events (`events`) or bytes (`bytes`). Absent without a quota.",
    schema: Type.String(),
  },
  {
    name: 'RateLimit',
    description:
      'What is left of each after this request (`r`), and seconds until it is full again (`t`). In a 429 `r` is 0 where too little is left for the request. Absent without a quota.',
    schema: Type.String(),
  },
]

/** Routes of events. `recent` is a time (ISO 8601) of the last days, for an example. */
export function eventOperations(recent: string): Operations<'postEvents' | 'listEvents' | 'getEvent' | 'listTasks'> {
  return {
    postEvents: {
      tag: 'Events',
      description: POST_DESCRIPTION,
      body: {
        required: true,
        content: [
          {
            type: 'application/json',
            schema: ref('NewEvents'),
            examples: [
              ...POSTED_EXAMPLES.map(({ type, event }) => ({
                name: type,
                summary: catalogue[type].description,
                value: event,
              })),
              ...BATCH,
            ],
          },
          {
            type: 'application/x-ndjson',
            schema: Type.String({ description: 'One event a line; blank lines do not count.' }),
            examples: [{ name: 'lines', summary: 'One event a line', value: NDJSON }],
          },
          {
            type: 'application/cloudevents+json',
            examples: [{ name: 'structured', summary: 'A CloudEvent in structured mode', value: cloudEvent(recent) }],
          },
          {
            type: 'application/cloudevents-batch+json',
            examples: [{ name: 'batched', summary: 'CloudEvents in batched mode', value: [cloudEvent(recent)] }],
          },
        ],
      },
      answers: [
        {
          status: 202,
          description: 'All are in the log.',
          headers: RATE_LIMIT,
          content: [{ type: 'application/json', schema: ref('IngestResults') }],
        },
        {
          status: 207,
          description: 'Some were refused; one result an entry.',
          headers: [RETRY_AFTER, ...RATE_LIMIT],
          content: [{ type: 'application/json', schema: ref('IngestResults') }],
        },
      ],
      problems: [
        { status: 400, codes: ['malformed_json', 'invalid_utf8', 'invalid_encoding'] },
        { status: 408, codes: ['request_timeout'] },
        { status: 413, codes: ['body_too_large', 'too_many_events'] },
        { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
        {
          status: 422,
          codes: ['invalid_events', 'empty_batch', 'invalid_type', 'missing_body'],
          description: 'None of the events is valid; `errors` names each fault.',
        },
        { status: 429, codes: ['quota_exceeded'], headers: RATE_LIMIT },
        { status: 503, codes: ['log_unavailable', 'log_identity_changed', 'clock_skew', 'overloaded'] },
      ],
    },
    listEvents: {
      tag: 'Events',
      description:
        'Queries the log, newest first. The list is a snapshot ordered by `created_at`, not a tail: an event that was posted late may appear behind a cursor. To follow the log, use the stream.',
      query: [
        ...NAME_FILTERS,
        ...typesFilters('Only events of this type, or of these, separated by commas.'),
        instant('after', 'Only events whose `created_at` is after this time (exclusive).', '2026-01-01T00:00:00Z'),
        instant('before', 'Only events whose `created_at` is before this time (exclusive).'),
        {
          name: 'order',
          description: '`asc` for oldest first.',
          schema: { ...oneOf(['desc', 'asc']), default: 'desc' },
        },
        ...PAGE,
        INCLUDE,
      ],
      answers: [
        {
          status: 200,
          description: 'A page: at most `limit` events and 4 MiB of `data`.',
          content: [{ type: 'application/json', schema: listOf('Event') }],
        },
      ],
      problems: [
        { status: 400, codes: ['invalid_parameter', 'invalid_cursor'] },
        { status: 429, codes: ['too_many_queries'] },
      ],
    },
    listTasks: {
      tag: 'Events',
      description:
        'Tasks by their `task.created`, newest first, each with its newest event. A task without `task.created` is not listed; one that has several is listed with each.',
      query: [
        {
          name: 'agent',
          description: 'Only tasks whose `task.created` is from this agent.',
          schema: identifierSchema,
          example: 'analyzer',
        },
        instant('after', 'Only tasks that were created after this time (exclusive).', '2026-01-01T00:00:00Z'),
        instant('before', 'Only tasks that were created before this time (exclusive).'),
        ...pageOf(100),
      ],
      answers: [
        {
          status: 200,
          description: 'A page: at most `limit` tasks and 4 MiB of `data`.',
          content: [{ type: 'application/json', schema: listOf('Task') }],
        },
      ],
      problems: [
        { status: 400, codes: ['invalid_parameter', 'invalid_cursor'] },
        { status: 429, codes: ['too_many_queries'] },
      ],
    },
    getEvent: {
      tag: 'Events',
      description:
        'Events never change: clients that may see the event may cache the answer, unless it has `include`, and then there is no `ETag`.',
      query: [INCLUDE],
      headers: [{ name: 'If-None-Match', description: 'The `ETag` of a kept answer.', schema: Type.String() }],
      answers: [
        {
          status: 200,
          description: 'The event.',
          headers: [{ name: 'ETag', description: 'For `If-None-Match`.', schema: Type.String() }],
          content: [{ type: 'application/json', schema: ref('Event') }],
        },
        { status: 304, description: 'The cached answer is still valid.' },
      ],
      problems: [
        { status: 404, codes: ['not_found'] },
        { status: 429, codes: ['too_many_queries'] },
      ],
    },
  }
}
