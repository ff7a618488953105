import { Type, type TSchema } from '@sinclair/typebox'
import { eventTypeSchema, identifierSchema, timeSchema } from '@ariftly/contract'

const text = (description: string): TSchema => Type.String({ minLength: 1, description })

/** A CloudEvent 1.0 that can be posted, in the JSON format. Other extensions are allowed and ignored. */
export const newCloudEventSchema: TSchema = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: text('`evt_…`, or any text that is unique for the source; then `time` is required.'),
    source: text('A URI reference: who says so.'),
    type: eventTypeSchema,
    subject: Type.Optional({
      ...identifierSchema,
      description: 'The task; of `session.*` without `taskid` the session.',
    }),
    time: Type.Optional({ ...timeSchema, description: '`created_at` of the event.' }),
    datacontenttype: Type.Optional(Type.String({ description: 'JSON, if it is given.' })),
    taskid: Type.Optional(identifierSchema),
    sessionid: Type.Optional(identifierSchema),
    agent: Type.Optional(identifierSchema),
    data: Type.Unsafe({ type: 'object', description: 'As `data` of an event of this type.' }),
  },
  { description: 'An event as a CloudEvent (https://cloudevents.io).' },
)
