import type { BadInput } from './bad-input-cases.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

function post(name: string, body: string, status: number, code: string, names?: string): BadInput {
  const base = { name, method: 'POST', path: '/v1/events', headers: JSON_TYPE, body, status, code } as const
  return names === undefined ? base : { ...base, names }
}

/** CloudEvents that are refused. */
export function cloudEventCases(): BadInput[] {
  const event = { specversion: '1.0', id: '1', source: '/x', type: 'task.created', subject: 't', data: {} }
  const structured = (name: string, changes: object, code: string, names: string): BadInput => ({
    ...post(`a CloudEvent with ${name}`, JSON.stringify({ ...event, ...changes }), 422, code, names),
    headers: { 'content-type': 'application/cloudevents+json' },
  })
  const binary = (name: string, headers: Record<string, string>, status: number, code: string, names?: string) => ({
    ...post(`a binary CloudEvent with ${name}`, '{}', status, code, names),
    headers: {
      ...JSON_TYPE,
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': '/x',
      'ce-type': 'task.created',
      ...headers,
    },
  })
  return [
    structured('no time', {}, 'required', '/time'),
    structured('a tenant', { tenant: 'other' }, 'unknown_member', '/tenant'),
    structured('data in base64', { data_base64: 'e30=' }, 'unknown_member', '/data_base64'),
    structured('XML', { datacontenttype: 'text/xml' }, 'invalid_value', '/datacontenttype'),
    structured('an unknown type', { type: 'a.b', time: new Date().toISOString() }, 'invalid_value', '/type'),
    binary('no time', {}, 422, 'required', 'ce-time'),
    binary('a tenant', { 'ce-tenant': 'other' }, 422, 'unknown_member', 'ce-tenant'),
    binary('XML', { 'content-type': 'text/xml' }, 415, 'unsupported_media_type'),
    {
      ...post('headers of a CloudEvent without a version', '{}', 422, 'required', 'ce-specversion'),
      headers: { ...JSON_TYPE, 'ce-type': 'task.created' },
    },
  ]
}
