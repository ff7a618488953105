import { Type, type TSchema } from '@sinclair/typebox'
import { nullable, tenantSchema, timeSchema, typeIdSchema } from '@ariftly/contract'
import { webhookMembers } from './webhook-schemas.ts'

const offset = (description: string): TSchema => Type.String({ pattern: '^[0-9]+$', description })
const count = (description: string): TSchema => Type.Integer({ minimum: 0, description })
const counted = { minimum: 0, maximum: 10_000, description: '10,000 means 10,000 or more.' }

const partitionSchema = Type.Object({
  partition: Type.Integer({ minimum: 0 }),
  projected_offset: offset('The first offset that is not projected: queries see what is before it.'),
  projected_at: { ...timeSchema, description: 'When `projected_offset` moved last.' },
  appended_at: {
    ...nullable(timeSchema),
    description: 'When the log took the newest projected events, to the second; null before the first.',
  },
  matched_offset: nullable(offset('The first offset that webhooks were not matched with; null before the first.')),
  matched_at: nullable(timeSchema),
})

/** The whole system, as far as Postgres knows it. */
export const systemSchema: TSchema = Type.Object({
  object: Type.Literal('system'),
  as_of: { ...timeSchema, description: 'Now, by the clock of Postgres, as the other times are.' },
  log: nullable(
    Type.Object(
      {
        epoch: Type.Integer({ minimum: 1 }),
        topic: Type.String(),
        opened_at: timeSchema,
        partitions: Type.Array(partitionSchema, { description: 'By number.' }),
      },
      { description: 'The newest epoch of the log; null before the first.' },
    ),
  ),
  processes: Type.Array(
    Type.Object({
      service: Type.String({ description: '`ingest`, `stream-gateway` or `webhook-worker`; more may be added.' }),
      id: Type.String({ format: 'uuid', description: 'Another one after each start.' }),
      seen_at: { ...timeSchema, description: 'Time of its last heartbeat.' },
    }),
    {
      description:
        'Processes that registered themselves, by service: at most 500 webhook workers, and 500 others. A stopped one is listed for a while.',
    },
  ),
  deliveries: Type.Object({
    pending_count: count('Deliveries that are neither delivered, failed nor cancelled.'),
    due_count: count('Pending deliveries that may be sent now.'),
    complete: Type.Boolean({ description: 'False when the count ended at a limit: there are at least so many.' }),
  }),
  backlogs: Type.Array(
    Type.Object({
      webhook_id: typeIdSchema('whk', 'Whose deliveries wait.'),
      tenant: tenantSchema,
      pending_count: Type.Integer(counted),
      due_count: Type.Integer(counted),
      oldest_pending_at: webhookMembers.oldest_pending_at,
      enabled: webhookMembers.enabled,
      disabled_reason: webhookMembers.disabled_reason,
      failing_since: webhookMembers.failing_since,
    }),
    { maxItems: 50, description: 'The webhooks with the most pending deliveries, largest first.' },
  ),
})
