import type { BadInput } from './bad-input-cases.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const ABSENT = { status: 404, code: 'not_found' } as const

/** Bad requests to keys that exist, tenants and the audit log, and bad idempotency keys. */
export function administrationCases(): readonly BadInput[] {
  return [...keyChangeCases(), ...auditCases(), ...idempotencyCases()]
}

function keyChangeCases(): BadInput[] {
  const path = '/v1/api-keys/key_01m88y3fz3eeksq399rkr6wnx3'
  const change = (name: string, body: object, code: string, names: string): BadInput => {
    const base = { method: 'PATCH', path, headers: JSON_TYPE, body: JSON.stringify(body), status: 422 } as const
    return { name: `a changed key with ${name}`, ...base, code, names }
  }
  const rotate = { method: 'POST', path: `${path}/rotate`, headers: JSON_TYPE } as const
  const invalid = { status: 422, names: '/overlap_hours' } as const
  return [
    change('other scopes', { scopes: ['admin'] }, 'unknown_member', '/scopes'),
    change('no name', { name: null }, 'invalid_type', '/name'),
    change('a quota of nothing', { quota: { events_per_s: 0 } }, 'out_of_range', '/quota/events_per_s'),
    change('an end in the past', { expires_at: '2020-01-01T00:00:00Z' }, 'out_of_range', '/expires_at'),
    { name: 'a change of a key that is not there', method: 'PATCH', path, headers: JSON_TYPE, body: '{}', ...ABSENT },
    { name: 'a change without a body', method: 'PATCH', path, status: 422, code: 'missing_body' },
    { ...rotate, name: 'a rotation of a key that is not there', body: '{}', ...ABSENT },
    {
      ...rotate,
      name: 'a rotation with an endless overlap',
      body: '{"overlap_hours":169}',
      ...invalid,
      code: 'out_of_range',
    },
    {
      ...rotate,
      name: 'a rotation with an overlap in words',
      body: '{"overlap_hours":"1"}',
      ...invalid,
      code: 'invalid_type',
    },
    {
      ...rotate,
      name: 'a rotation with a secret',
      body: '{"key":"mine"}',
      status: 422,
      code: 'unknown_member',
      names: '/key',
    },
  ]
}

function auditCases(): BadInput[] {
  return [
    badAudit('action=webhook.created', 400, 'invalid_parameter', 'action'),
    badAudit('after=yesterday', 400, 'invalid_parameter', 'after'),
    badAudit('cursor=x', 400, 'invalid_cursor'),
    badAudit('target=whk_1', 400, 'unknown_parameter', 'target'),
    badAudit('tenant=another', 403, 'missing_scope'),
    { name: 'tenants without the scope', method: 'GET', path: '/v1/tenants', status: 403, code: 'missing_scope' },
    {
      name: 'a tenant put without the scope',
      method: 'PUT',
      path: '/v1/tenants/acme',
      headers: JSON_TYPE,
      body: '{}',
      status: 403,
      code: 'missing_scope',
    },
    {
      name: 'dead letters without the scope',
      method: 'GET',
      path: '/v1/dead-letters',
      status: 403,
      code: 'missing_scope',
    },
    { name: 'the system without the scope', method: 'GET', path: '/v1/system', status: 403, code: 'missing_scope' },
    {
      name: 'a tenant deleted without the scope',
      method: 'DELETE',
      path: '/v1/tenants/acme',
      status: 403,
      code: 'missing_scope',
    },
  ]
}

function idempotencyCases(): BadInput[] {
  const nested: BadInput = {
    name: 'a body of 100,000 arrays in each other with an Idempotency-Key',
    method: 'POST',
    path: '/v1/webhooks',
    headers: { ...JSON_TYPE, 'idempotency-key': 'nested' },
    body: '['.repeat(100_000) + ']'.repeat(100_000),
    status: 422,
    code: 'invalid_type',
  }
  return [badKey('empty', ''), badKey('too long', 'x'.repeat(256)), badKey('two words', 'a b'), nested]
}

function badKey(name: string, key: string): BadInput {
  return {
    name: `an Idempotency-Key that is ${name}`,
    method: 'POST',
    path: '/v1/webhooks',
    headers: { ...JSON_TYPE, 'idempotency-key': key },
    body: '{}',
    status: 400,
    code: 'invalid_parameter',
    names: 'Idempotency-Key',
  }
}

function badAudit(query: string, status: number, code: string, names?: string): BadInput {
  const base = { name: `the audit log with ${query}`, method: 'GET', path: `/v1/audit?${query}`, status, code } as const
  return names === undefined ? base : { ...base, names }
}
