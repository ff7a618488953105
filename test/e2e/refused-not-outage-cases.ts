import type { BadInput } from './bad-input-cases.ts'

const JSON_TYPE = { 'content-type': 'application/json' }

/**
 * Names of the caller's that are in the problem, in words that drivers use for a lost connection: they are refused, not taken for
 * an outage (503). And a query on a post, which has no parameters.
 */
export function refusedNotOutageCases(): readonly BadInput[] {
  return [
    badList('timeout'),
    badList('Connection'),
    badList('terminated'),
    badHeader('Connection'),
    badHeader('Connection terminated'),
    badPost('x=1', 'x'),
    badPost('x=', 'x'),
    badPost('timeout=5', 'timeout'),
  ]
}

function badList(names: string): BadInput {
  const path = `/v1/events?${names}=5`
  return { name: `GET ${path}`, method: 'GET', path, status: 400, code: 'unknown_parameter', names }
}

function badHeader(header: string): BadInput {
  return {
    name: `a webhook with the header name ${header}`,
    method: 'POST',
    path: '/v1/webhooks',
    headers: JSON_TYPE,
    body: JSON.stringify({ url: 'https://example.com/hook', events: ['*'], headers: { [header]: 'x' } }),
    status: 422,
    code: 'invalid_value',
    names: `/headers/${header}`,
  }
}

function badPost(query: string, names: string): BadInput {
  const path = `/v1/events?${query}`
  return {
    name: `POST ${path}`,
    method: 'POST',
    path,
    headers: JSON_TYPE,
    body: '{"type":"task.created","task_id":"t","data":{}}',
    status: 400,
    code: 'unknown_parameter',
    names,
  }
}
