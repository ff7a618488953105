import type { ApiKey, ApiKeyChanges, ListApiKeysQuery, NewApiKeyRequest, RotateApiKey } from '@ariftly/sdk'
import { CHOICES } from '../../command/choices.ts'
import type { Command, OptionSpec } from '../../command/command.ts'
import { itemCommand } from '../../command/item-command.ts'
import { listCommand } from '../../command/list-command.ts'
import { BODY, IDEMPOTENCY_KEY } from '../../command/parameters.ts'
import { IDS } from './ids.ts'
import { OVERLAP, TENANT } from './options.ts'

/** Members of a key that may be changed. */
const MEMBERS: readonly OptionSpec[] = [
  { name: 'name', shown: 'name', summary: 'for people', parameter: 'name' },
  { name: 'expires-at', shown: 'time', summary: 'when it ends, ISO 8601', parameter: 'expires_at' },
  {
    name: 'events-per-s',
    shown: 'n',
    kind: 'integer',
    min: 1,
    summary: 'how many events a second it may post',
    parameter: 'quota.events_per_s',
  },
  {
    name: 'bytes-per-s',
    shown: 'n',
    kind: 'integer',
    min: 1,
    summary: 'how many bytes a second it may post',
    parameter: 'quota.bytes_per_s',
  },
  BODY,
]

/** `ariftly keys …`. */
export const KEYS: readonly Command[] = [
  listCommand<ApiKey, ListApiKeysQuery>({
    name: 'list',
    summary: 'List API keys.',
    route: 'GET /v1/api-keys',
    output: 'api:ApiKey',
    options: [TENANT],
    example: 'ariftly keys list',
    columns: [
      { title: 'ID', value: (key) => key.id },
      { title: 'NAME', value: (key) => key.name },
      { title: 'SCOPES', value: (key) => key.scopes.join(',') },
      { title: 'CREATED', value: (key) => key.created_at },
      { title: 'LAST USED', value: (key) => key.last_used_at },
      { title: 'EXPIRES', value: (key) => key.expires_at },
    ],
    list: (client, _, query, options) => client.apiKeys.list(query, options),
  }),
  itemCommand<NewApiKeyRequest>({
    name: 'create',
    summary: 'Create an API key. It is shown this once.',
    route: 'POST /v1/api-keys',
    output: 'api:NewApiKey',
    options: [
      ...MEMBERS,
      {
        name: 'scopes',
        shown: 'scopes',
        kind: 'list',
        choices: CHOICES.scope,
        summary: 'scopes, separated by commas',
        parameter: 'scopes',
      },
      TENANT,
      IDEMPOTENCY_KEY,
    ],
    example: 'ariftly keys create --name reader --scopes events:read',
    call: (client, _, request, options) => client.apiKeys.create(request, options),
  }),
  itemCommand<ApiKeyChanges>({
    name: 'update',
    summary: 'Change the name, the end or the quota of a key.',
    route: 'PATCH /v1/api-keys/{id}',
    output: 'api:ApiKey',
    args: [IDS.key],
    options: MEMBERS,
    example: 'ariftly keys update key_01h455vb4pex5vsknk084sn02q --name reader',
    call: (client, input, changes, options) => client.apiKeys.update(input.required('id'), changes, options),
  }),
  itemCommand<RotateApiKey & { readonly overlap_hours?: number }>({
    name: 'rotate',
    summary: 'Give a key a new secret. It is shown this once.',
    route: 'POST /v1/api-keys/{id}/rotate',
    output: 'api:NewApiKey',
    args: [IDS.key],
    options: [OVERLAP, IDEMPOTENCY_KEY],
    example: 'ariftly keys rotate key_01h455vb4pex5vsknk084sn02q --overlap-hours 24',
    call: (client, input, rotation, options) => client.apiKeys.rotate(input.required('id'), rotation, options),
  }),
  itemCommand({
    name: 'revoke',
    summary: 'End a key. It stops within a second, open streams included.',
    route: 'DELETE /v1/api-keys/{id}',
    args: [IDS.key],
    asks: 'Revoke the key?',
    example: 'ariftly keys revoke key_01h455vb4pex5vsknk084sn02q --yes',
    call: (client, input, _, options) => client.apiKeys.revoke(input.required('id'), options),
  }),
]
