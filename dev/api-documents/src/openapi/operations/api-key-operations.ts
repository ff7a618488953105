import { tenantSchema } from '@ariftly/contract'
import { Type } from '@sinclair/typebox'
import type { Operations } from '../operation.ts'
import { PAGE } from '../parameters.ts'
import { listOf, ref } from '../schema-ref.ts'

const ANY_TENANT = 'With the scope `admin`: keys of your own tenant; with `platform`: keys of any tenant.'

/** Routes of API keys. */
export const apiKeyOperations: Operations<
  'getCurrentApiKey' | 'createApiKey' | 'listApiKeys' | 'updateApiKey' | 'rotateApiKey' | 'revokeApiKey'
> = {
  getCurrentApiKey: {
    tag: 'API keys',
    description: 'Tenant, scopes, quota and expiry of the key that calls.',
    answers: [
      { status: 200, description: 'The key.', content: [{ type: 'application/json', schema: ref('CurrentApiKey') }] },
    ],
    problems: [],
  },
  createApiKey: {
    tag: 'API keys',
    description: `The secret is in this answer alone. A key gives no scope, quota or end beyond its own (without \`quota\` or \`expires_at\` there is no limit and no end), except that \`admin\` gives \`events:write\`, \`events:read\` and \`webhooks\`. ${ANY_TENANT}`,
    body: {
      required: true,
      content: [
        {
          type: 'application/json',
          schema: ref('NewApiKeyRequest'),
          examples: [
            {
              name: 'agents',
              summary: 'A key that only posts, with a quota',
              value: {
                name: 'agents of team A',
                scopes: ['events:write'],
                quota: { events_per_s: 500, bytes_per_s: 1_000_000 },
              },
            },
            { name: 'reader', summary: 'A key that only reads', value: { name: 'dashboard', scopes: ['events:read'] } },
          ],
        },
      ],
    },
    answers: [
      {
        status: 201,
        description: 'The key.',
        headers: [{ name: 'Location', description: 'Path of the resource.', schema: Type.String() }],
        content: [{ type: 'application/json', schema: ref('NewApiKey') }],
      },
    ],
    problems: [
      { status: 400, codes: ['malformed_json', 'invalid_utf8'] },
      { status: 403, codes: ['not_yours_to_give'] },
      { status: 409, codes: ['tenant_deleting', 'tenant_deleted', 'too_many_api_keys'] },
      { status: 413, codes: ['body_too_large'] },
      { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
      { status: 422, codes: ['missing_body', 'invalid_body'] },
    ],
  },
  listApiKeys: {
    tag: 'API keys',
    description: `Newest first, revoked ones left out. ${ANY_TENANT}`,
    query: [{ name: 'tenant', description: 'Whose keys; default: your own.', schema: tenantSchema }, ...PAGE],
    answers: [
      { status: 200, description: 'A page.', content: [{ type: 'application/json', schema: listOf('ApiKey') }] },
    ],
    problems: [{ status: 400, codes: ['invalid_parameter', 'invalid_cursor'] }],
  },
  updateApiKey: {
    tag: 'API keys',
    description: `Changes the given members; null clears quota or end. The key's scopes, its quota and its end, before and after, must be within those of the key that calls. Every process follows within a second. ${ANY_TENANT}`,
    body: {
      required: true,
      content: [
        {
          type: 'application/json',
          schema: ref('ApiKeyChanges'),
          examples: [
            { name: 'quota', summary: 'Another quota', value: { quota: { events_per_s: 2000 } } },
            { name: 'name', summary: 'Another name, no end', value: { name: 'agents of team B', expires_at: null } },
          ],
        },
      ],
    },
    answers: [
      {
        status: 200,
        description: 'The key, without its secret.',
        content: [{ type: 'application/json', schema: ref('ApiKey') }],
      },
    ],
    problems: [
      { status: 400, codes: ['malformed_json'] },
      { status: 403, codes: ['not_yours_to_give'] },
      { status: 404, codes: ['not_found'] },
      { status: 413, codes: ['body_too_large'] },
      { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
      { status: 422, codes: ['missing_body', 'invalid_body'] },
    ],
  },
  rotateApiKey: {
    tag: 'API keys',
    description: `Gives the key a new secret under the same id; it is in this answer alone. Both secrets work until the overlap ends; streams and stream tokens that were opened with the old one end with it. The key's scopes, quota and end must be within those of the key that calls. ${ANY_TENANT}`,
    body: {
      required: false,
      content: [
        {
          type: 'application/json',
          schema: ref('RotateApiKey'),
          examples: [{ name: 'overlap', summary: 'One hour of overlap', value: { overlap_hours: 1 } }],
        },
      ],
    },
    answers: [
      {
        status: 201,
        description: 'The key with its new secret.',
        headers: [{ name: 'Location', description: 'Path of the resource.', schema: Type.String() }],
        content: [{ type: 'application/json', schema: ref('NewApiKey') }],
      },
    ],
    problems: [
      { status: 400, codes: ['malformed_json'] },
      { status: 403, codes: ['not_yours_to_give'] },
      { status: 404, codes: ['not_found'] },
      { status: 409, codes: ['rotation_under_way'] },
      { status: 413, codes: ['body_too_large'] },
      { status: 415, codes: ['unsupported_media_type', 'unsupported_encoding'] },
      { status: 422, codes: ['invalid_body'] },
    ],
  },
  revokeApiKey: {
    tag: 'API keys',
    description: `The key stops within a second on every service; its open streams end. ${ANY_TENANT}`,
    answers: [{ status: 204, description: 'Revoked.' }],
    problems: [
      { status: 403, codes: ['not_yours_to_give'] },
      { status: 404, codes: ['not_found'] },
    ],
  },
}
