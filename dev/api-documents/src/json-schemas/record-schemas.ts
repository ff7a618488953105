import { EVENT_TYPES } from '@ariftly/events'
import { Type, type TSchema } from '@sinclair/typebox'
import { eventIdSchema } from './event-schemas.ts'
import { identifierSchema, oneOfMore, tenantSchema, timeSchema } from '@ariftly/contract'

/** Headers of a record of the log: CloudEvents 1.0, Kafka binding, binary mode. `types`: the allowed event types. */
export function recordHeadersSchema(types: readonly string[] = EVENT_TYPES): TSchema {
  return Type.Object(
    {
      ce_specversion: Type.Literal('1.0'),
      ce_id: eventIdSchema,
      ce_type: oneOfMore(types),
      ce_source: Type.String({ description: '`/tenants/<tenant>` or `/tenants/<tenant>/agents/<agent>`.' }),
      ce_subject: { ...identifierSchema, description: 'The task, else the session.' },
      ce_time: { ...timeSchema, description: "For readers; the millisecond inside `ce_id` is the event's time." },
      'content-type': Type.Literal('application/json'),
      ce_tenant: tenantSchema,
      ce_taskid: Type.Optional(identifierSchema),
      ce_sessionid: Type.Optional(identifierSchema),
      ce_agent: Type.Optional(identifierSchema),
      traceparent: Type.Optional(Type.String({ description: 'W3C trace context.' })),
    },
    { description: 'Attributes that do not apply are absent. Values are UTF-8 text.' },
  )
}

/** The key of a record. */
export const recordKeySchema: TSchema = Type.String({
  pattern: '^[a-z0-9-]{1,64}/[A-Za-z0-9_.:/-]{1,128}$',
  description: '`<tenant>/<task_id>`, else `<tenant>/<session_id>`. Order holds per key.',
})

/** Headers that a dead letter has in addition to those of its record. */
export const deadLetterHeadersSchema: TSchema = Type.Object(
  {
    dlq_reason: Type.String({ description: 'A stable code.' }),
    dlq_detail: Type.String({ description: 'One sentence without payload.' }),
    dlq_topic: Type.String(),
    dlq_partition: Type.String({ pattern: '^[0-9]+$' }),
    dlq_offset: Type.String({ pattern: '^[0-9]+$' }),
    dlq_truncated: Type.Optional(
      Type.String({ description: 'Set when the record was too large: its value is left out.' }),
    ),
  },
  { description: "The record's own headers are kept unchanged." },
)
