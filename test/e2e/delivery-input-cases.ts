import type { BadInput } from './bad-input-cases.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const DELIVERY = '/v1/deliveries/dlv_01m88y3fz3eeksq399rkr6wnx3'

/** Payload filters that are none. */
export function filterCases(): BadInput[] {
  return [
    badFilter({}, 'invalid_value', '/filter'),
    badFilter({ id: 'evt_1' }, 'invalid_value', '/filter/id'),
    badFilter({ 'data.n': 9007199254740992 }, 'invalid_value', '/filter/data.n'),
    badFilter({ agent: { $in: [] } }, 'invalid_value', '/filter/agent/$in'),
    badFilter({ agent: { $gt: true } }, 'invalid_value', '/filter/agent/$gt'),
  ]
}

function badFilter(filter: object, code: string, names: string): BadInput {
  return {
    name: `a webhook with the filter ${JSON.stringify(filter)}`,
    method: 'POST',
    path: '/v1/webhooks',
    headers: JSON_TYPE,
    body: JSON.stringify({ url: 'https://example.com/', events: ['*'], filter }),
    status: 422,
    code,
    names,
  }
}

/** Lists of deliveries, single ones and redeliveries that are refused. */
export function deliveryCases(): BadInput[] {
  return [
    badList('nothing', '', 'filter_too_wide'),
    badList('a type alone', '?type=task.failed', 'filter_too_wide'),
    badList('an error class alone', '?error_class=timeout&before=2026-01-01T00:00:00Z', 'filter_too_wide'),
    badList('another status than failed alone', '?status=delivered', 'filter_too_wide'),
    badList('an unknown error class', '?status=failed&error_class=http_2xx', 'invalid_parameter', 'error_class'),
    badList('an id of something else', '?webhook_id=evt_01m88y3fz3eeksq399rkr6wnx3', 'invalid_parameter', 'webhook_id'),
    badList('an ill-formed event', '?event_id=evt_1', 'invalid_parameter', 'event_id'),
    badList('an unknown parameter', '?status=failed&state=failed', 'unknown_parameter', 'state'),
    badList('an empty parameter', '?status=failed&task_id=', 'empty_parameter', 'task_id'),
    badList('a repeated parameter', '?status=failed&status=failed', 'repeated_parameter', 'status'),
    badList('a bad cursor', '?status=failed&cursor=x', 'invalid_cursor', 'cursor'),
    absent('a delivery that is not there', 'GET', DELIVERY),
    absent('what is no delivery', 'GET', '/v1/deliveries/1'),
    absent('a delivery under a route that was removed', 'GET', `/v1/webhooks${DELIVERY.slice('/v1'.length)}`),
    absent('a redelivery of what is not there', 'POST', `${DELIVERY}/redeliver`),
    absent('a redelivery of what is no delivery', 'POST', '/v1/deliveries/1/redeliver'),
  ]
}

function badList(what: string, query: string, code: string, names?: string): BadInput {
  const base = {
    name: `deliveries by ${what}`,
    method: 'GET',
    path: `/v1/deliveries${query}`,
    status: 400,
    code,
  } as const
  return names === undefined ? base : { ...base, names }
}

function absent(name: string, method: BadInput['method'], path: string): BadInput {
  return { name, method, path, status: 404, code: 'not_found' }
}
