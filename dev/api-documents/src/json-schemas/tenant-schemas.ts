import { Type, type TSchema } from '@sinclair/typebox'
import {
  AUDIT_ACTIONS,
  nullable,
  oneOf,
  oneOfMore,
  TENANT_STATES,
  tenantSchema,
  timeSchema,
  typeIdSchema,
} from '@ariftly/contract'

const limit = nullable(Type.Integer({ minimum: 1, maximum: 1_000_000 }))

/** A tenant. */
export const tenantObjectSchema: TSchema = Type.Object({
  object: Type.Literal('tenant'),
  id: tenantSchema,
  state: { ...oneOf(TENANT_STATES), description: '`deleted` is shown in `GET /v1/tenants?state=deleted` alone.' },
  limits: Type.Object({ events_per_s: limit, streams: limit, webhooks: limit, api_keys: limit }),
  deleted_count: Type.Optional(Type.Integer({ minimum: 0, description: 'Rows that the deletion has removed so far.' })),
  created_at: { ...nullable(timeSchema), description: 'Null for a tenant that was never put.' },
  updated_at: nullable(timeSchema),
})

const changeSchema = Type.Object({
  member: Type.String({
    description: 'JSON pointer to the innermost member that changed, such as `/quota/events_per_s`.',
  }),
  before: Type.Optional(Type.Unknown({ description: 'Absent beside `changed`.' })),
  after: Type.Optional(Type.Unknown({ description: 'Absent beside `changed`.' })),
  changed: Type.Optional(
    Type.Literal(true, { description: 'It changed and its values are not kept: secrets, headers and filters.' }),
  ),
  truncated: Type.Optional(
    Type.Literal(true, {
      description: 'A value is longer than 1 KiB: it is the beginning of its text, or of its JSON.',
    }),
  ),
})

/** An entry of the audit log. */
export const auditEntrySchema: TSchema = Type.Object({
  object: Type.Literal('audit_entry'),
  id: typeIdSchema('aud', 'TypeID of the entry.'),
  at: timeSchema,
  key_id: typeIdSchema('key', 'The key that called.'),
  tenant: tenantSchema,
  action: oneOfMore(AUDIT_ACTIONS),
  target: Type.String({ description: 'The id of the changed resource.' }),
  request_id: Type.String(),
  changes: Type.Array(changeSchema, {
    maxItems: 32,
    description:
      'The members that changed. For a creation: the members that were set, with `before` null. Of several updates `before` is from the ' +
      'first and `after` from the last.',
  }),
  count: Type.Integer({
    minimum: 1,
    description:
      'Updates that the entry counts: of the same members, by the same key within a minute. `at` and `request_id` are of the first one.',
  }),
})
