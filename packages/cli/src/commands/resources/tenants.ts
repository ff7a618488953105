import type { ListTenantsQuery, Tenant, TenantRequest } from '@ariftly/sdk'
import { CHOICES } from '../../command/choices.ts'
import type { ArgumentSpec, Command, OptionSpec } from '../../command/command.ts'
import { itemCommand } from '../../command/item-command.ts'
import { listCommand } from '../../command/list-command.ts'
import { BODY } from '../../command/parameters.ts'

const ID: ArgumentSpec = { name: 'id', summary: 'id of the tenant' }
const limit = (name: string, member: string, summary: string): OptionSpec => ({
  name,
  shown: 'n',
  kind: 'integer',
  min: 0,
  summary,
  parameter: `limits.${member}`,
})

/** `ariftly tenants …`. */
export const TENANTS: readonly Command[] = [
  listCommand<Tenant, ListTenantsQuery>({
    name: 'list',
    summary: 'List tenants.',
    route: 'GET /v1/tenants',
    output: 'api:Tenant',
    options: [
      {
        name: 'state',
        shown: 'state',
        choices: CHOICES.tenantState,
        summary: 'only in this state',
        parameter: 'state',
      },
    ],
    example: 'ariftly tenants list',
    columns: [
      { title: 'ID', value: (tenant) => tenant.id },
      { title: 'STATE', value: (tenant) => tenant.state },
      { title: 'CREATED', value: (tenant) => tenant.created_at },
      { title: 'LIMITS', value: (tenant) => JSON.stringify(tenant.limits) },
    ],
    list: (client, _, query, options) => client.tenants.list(query, options),
  }),
  itemCommand({
    name: 'get',
    summary: 'Show a tenant.',
    route: 'GET /v1/tenants/{id}',
    output: 'api:Tenant',
    args: [ID],
    example: 'ariftly tenants get acme',
    call: (client, input, _, options) => client.tenants.get(input.required('id'), options),
  }),
  itemCommand<TenantRequest>({
    name: 'put',
    summary: 'Create a tenant, or change it.',
    route: 'PUT /v1/tenants/{id}',
    output: 'api:Tenant',
    args: [ID],
    options: [
      {
        name: 'state',
        shown: 'state',
        choices: ['active', 'suspended'],
        summary: 'suspended to refuse its keys',
        parameter: 'state',
      },
      limit('events-per-s', 'events_per_s', 'events a second, over all its keys'),
      limit('streams', 'streams', 'open streams'),
      limit('webhooks', 'webhooks', 'webhooks'),
      limit('api-keys', 'api_keys', 'keys'),
      BODY,
    ],
    example: 'ariftly tenants put acme --events-per-s 1000',
    call: (client, input, tenant, options) => client.tenants.put(input.required('id'), tenant, options),
  }),
  itemCommand({
    name: 'delete',
    summary: 'Delete a tenant and all its data. Its id is never given again.',
    route: 'DELETE /v1/tenants/{id}',
    output: 'api:Tenant',
    args: [ID],
    asks: 'Delete the tenant with all its events, webhooks and keys?',
    example: 'ariftly tenants delete acme --yes',
    call: (client, input, _, options) => client.tenants.delete(input.required('id'), options),
  }),
]
