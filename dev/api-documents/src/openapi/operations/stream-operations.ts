import { Type } from '@sinclair/typebox'
import type { Content, OperationDoc, Operations, QueryParameter } from '../operation.ts'
import { instant, NAME_FILTERS, typesFilter } from '../parameters.ts'
import { ref } from '../schema-ref.ts'

const DESCRIPTION = `Server-Sent Events of everything that is appended, in the order of the log for each task.

\`event:\` is the type, \`data:\` the payload (with \`envelope=true\` the whole event object), \`id:\` the position. A client that reconnects with its last id in \`Last-Event-ID\` misses nothing and gets nothing twice. \`after\` starts in the past, in log time.

Other frames are \`stream.checkpoint\` (a new position; \`{"live":true}\` each time that the stream has caught up, else \`{}\`) and \`stream.reset\` \`{reason, requested, earliest}\` (the position could not be kept; the stream continues from the earliest). A heartbeat comment is sent every 15 s. No event is ever named \`error\`.

A browser's \`EventSource\` cannot send a key: make a stream token and pass it as \`token\`.`

const PARAMETERS: readonly QueryParameter[] = [
  ...NAME_FILTERS,
  typesFilter('types', 'Only these types, separated by commas.'),
  { name: 'envelope', description: 'Sends the whole event object as data.', schema: Type.Boolean({ default: false }) },
  instant(
    'after',
    'Starts with events that were appended to the log at this time or later (inclusive); up to a second of earlier events may be sent too. A position takes precedence.',
  ),
  {
    name: 'last_event_id',
    description: 'A position, for clients that cannot send the header.',
    schema: Type.String({ maxLength: 16_000 }),
  },
  {
    name: 'token',
    description: 'A stream token, in place of a key; it holds the filter.',
    schema: Type.String({ maxLength: 8000 }),
  },
]

const LAST_EVENT_ID: QueryParameter = {
  name: 'Last-Event-ID',
  description: 'The `id` of the last frame that arrived. Takes precedence over `last_event_id`.',
  schema: Type.String(),
}

const FRAMES = `event: task.progress
data: {"task_id":"task_01j9x8k2m4e7s9v0w1x2y3z4a5","message":"Analyzing document","progress":0.3}
id: v1.kXJ2…

event: task.complete
data: {"task_id":"task_01j9x8k2m4e7s9v0w1x2y3z4a5","artifact_count":1}
id: v1.8sQw…

`

const STREAM: Content = {
  type: 'text/event-stream',
  schema: Type.String({ description: 'Server-Sent Events (HTML standard, section 9.2).' }),
  examples: [{ name: 'frames', summary: 'Two events', value: FRAMES }],
}

const OPEN = {
  answers: [{ status: 200, description: 'The stream; it ends when the connection does.', content: [STREAM] }],
  problems: [
    { status: 401, codes: ['invalid_stream_token'] },
    { status: 429, codes: ['too_many_streams'] },
    { status: 503, codes: ['starting', 'draining', 'gateway_full', 'log_identity_changed'] },
  ],
} as const satisfies Partial<OperationDoc>

/** Routes of streams. */
export const streamOperations: Operations<'streamEvents' | 'streamEventsByForm' | 'createStreamToken'> = {
  streamEvents: { tag: 'Streams', description: DESCRIPTION, query: PARAMETERS, headers: [LAST_EVENT_ID], ...OPEN },
  streamEventsByForm: {
    tag: 'Streams',
    description: 'As GET, with the parameters in a form, as `curl --data-urlencode` sends them.',
    query: PARAMETERS,
    headers: [LAST_EVENT_ID],
    body: {
      required: false,
      content: [
        {
          type: 'application/x-www-form-urlencoded',
          schema: Type.Object(
            Object.fromEntries(
              PARAMETERS.map(({ name, schema, commaList }) => [
                name,
                Type.Optional(commaList === true ? Type.String({ description: 'Separated by commas.' }) : schema),
              ]),
            ),
            { additionalProperties: false },
          ),
          examples: [
            { name: 'task', summary: 'Events of one task', value: { task_id: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5' } },
          ],
        },
      ],
    },
    ...OPEN,
    problems: [
      ...OPEN.problems,
      { status: 413, codes: ['body_too_large'] },
      { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
    ],
  },
  createStreamToken: {
    tag: 'Streams',
    description:
      'A sealed token, bound to the key that calls and to the filter, that opens streams (`?token=`) until it expires or its key is revoked.',
    body: {
      required: false,
      content: [
        {
          type: 'application/json',
          schema: ref('StreamTokenRequest'),
          examples: [
            {
              name: 'task',
              summary: 'One task, for ten minutes',
              value: { task_id: 'task_01j9x8k2m4e7s9v0w1x2y3z4a5', ttl_s: 600 },
            },
            { name: 'types', summary: 'Some types of everything', value: { types: ['task.complete', 'task.failed'] } },
          ],
        },
      ],
    },
    answers: [
      { status: 201, description: 'The token.', content: [{ type: 'application/json', schema: ref('StreamToken') }] },
    ],
    problems: [
      { status: 400, codes: ['malformed_json', 'invalid_utf8'] },
      { status: 413, codes: ['body_too_large'] },
      { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
      { status: 422, codes: ['invalid_body'] },
    ],
  },
}
