import { Type, type TSchema } from '@sinclair/typebox'
import { eventTypeSchema, identifierSchema, nullable, timeSchema } from '@ariftly/contract'

const text = (description: string): TSchema => Type.String({ minLength: 1, description })

/** A CloudEvent 1.0 that can be posted, in the JSON format. Other extensions are allowed and ignored; null is absent. */
export const newCloudEventSchema: TSchema = Type.Object(
  {
    specversion: Type.Literal('1.0'),
    id: text('`evt_…`, or any text that is unique for the source; then `time` is required.'),
    source: text('A URI reference: who says so.'),
    type: eventTypeSchema,
    subject: Type.Optional({
      ...nullable(identifierSchema),
      description: 'The task; of `session.*` without `taskid` the session.',
    }),
    time: Type.Optional({ ...nullable(timeSchema), description: '`created_at` of the event.' }),
    datacontenttype: Type.Optional(nullable(Type.String({ description: 'JSON, if it is given.' }))),
    taskid: Type.Optional(nullable(identifierSchema)),
    sessionid: Type.Optional(nullable(identifierSchema)),
    agent: Type.Optional(nullable(identifierSchema)),
    data: Type.Unsafe({
      type: 'object',
      additionalProperties: true,
      description: 'As `data` of an event of this type.',
    }),
  },
  { description: 'An event as a CloudEvent (https://cloudevents.io).' },
)
