import { Type } from '@sinclair/typebox'
import { AUDIT_ACTIONS, oneOf, TENANT_STATES, tenantSchema } from '@ariftly/contract'
import type { Operations } from '../operation.ts'
import { instant, PAGE } from '../parameters.ts'
import { listOf, ref } from '../schema-ref.ts'

const TENANT_CONTENT = [{ type: 'application/json', schema: ref('Tenant') }] as const

/** Routes of tenants and of the audit log. */
export const tenantOperations: Operations<
  'listTenants' | 'getTenant' | 'putTenant' | 'deleteTenant' | 'listAuditEntries'
> = {
  listTenants: {
    tag: 'Tenants',
    description: 'Tenants that were put or deleted, newest first.',
    query: [
      { name: 'state', description: 'Only this state; default: all but `deleted`.', schema: oneOf(TENANT_STATES) },
      ...PAGE,
    ],
    answers: [
      { status: 200, description: 'A page.', content: [{ type: 'application/json', schema: listOf('Tenant') }] },
    ],
    problems: [{ status: 400, codes: ['invalid_parameter', 'invalid_cursor'] }],
  },
  getTenant: {
    tag: 'Tenants',
    description: 'A tenant that was never written is `active` and has null limits; a deleted one is not found.',
    answers: [{ status: 200, description: 'The tenant.', content: TENANT_CONTENT }],
    problems: [{ status: 404, codes: ['not_found'] }],
  },
  putTenant: {
    tag: 'Tenants',
    description:
      'Members left out keep their value, also inside `limits`; null is the default (webhooks 100, API keys 1,000, streams the setting, events none). A tenant that has more API keys or webhooks than a new limit keeps them. A suspended tenant gets 403 `tenant_suspended` on every route, its open streams end, and its deliveries wait, all within a second. Keys with the scope `platform` are never suspended. The tighter of the limits of tenant and key decides.',
    body: {
      required: true,
      content: [
        {
          type: 'application/json',
          schema: ref('TenantRequest'),
          examples: [
            { name: 'limits', summary: 'Limits', value: { limits: { events_per_s: 5000, streams: 200 } } },
            { name: 'suspended', summary: 'Not served any more', value: { state: 'suspended' } },
          ],
        },
      ],
    },
    answers: [
      { status: 200, description: 'The tenant, changed.', content: TENANT_CONTENT },
      {
        status: 201,
        description: 'The tenant, put for the first time.',
        headers: [{ name: 'Location', description: 'Path of the resource.', schema: Type.String() }],
        content: TENANT_CONTENT,
      },
    ],
    problems: [
      { status: 400, codes: ['malformed_json', 'invalid_parameter'] },
      { status: 409, codes: ['tenant_deleting', 'tenant_deleted'] },
      { status: 413, codes: ['body_too_large'] },
      { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
      { status: 422, codes: ['invalid_body'] },
    ],
  },
  deleteTenant: {
    tag: 'Tenants',
    description:
      'Its keys and streams stop within a second, keys with the scope `platform` too; events, deliveries and webhooks follow in slices. `GET` shows the progress in `deleted_count`, and is 404 when nothing is left. The id is never given again: `PUT` and new keys are 409 `tenant_deleting` until then, and 409 `tenant_deleted` afterwards. A tenant that was never put but has or had a key is deleted likewise; any other unknown id is not found. `default` and the own tenant cannot be deleted.',
    answers: [{ status: 202, description: 'The tenant, being deleted.', content: TENANT_CONTENT }],
    problems: [
      { status: 400, codes: ['invalid_parameter'] },
      { status: 404, codes: ['not_found'] },
      { status: 409, codes: ['own_tenant'] },
    ],
  },
  listAuditEntries: {
    tag: 'Tenants',
    description:
      'Every change of keys, webhooks and tenants, newest first; without secrets, kept 400 days. Repeated updates of one target by one key within a minute are one entry with their `count`; `at` and `request_id` are of the first. With the scope `admin`: changes of your own tenant; with `platform`: of any tenant.',
    query: [
      { name: 'tenant', description: 'Whose; default: your own.', schema: tenantSchema },
      { name: 'action', description: 'Only this action.', schema: oneOf(AUDIT_ACTIONS) },
      instant('after', 'Only entries whose `at` is this time or later (inclusive).'),
      instant('before', 'Only entries whose `at` is before this time (exclusive).'),
      ...PAGE,
    ],
    answers: [
      { status: 200, description: 'A page.', content: [{ type: 'application/json', schema: listOf('AuditEntry') }] },
    ],
    problems: [{ status: 400, codes: ['invalid_parameter', 'invalid_cursor'] }],
  },
}
