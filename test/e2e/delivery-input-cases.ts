import type { BadInput } from './bad-input-cases.ts'

const JSON_TYPE = { 'content-type': 'application/json' }
const DAY_MS = 86_400_000
const WEBHOOK = 'whk_01m88y3fz3eeksq399rkr6wnx3'
const REDELIVERY = '/v1/redeliveries/rdl_01m88y3fz3eeksq399rkr6wnx3'
const DELIVERY = '/v1/deliveries/dlv_01m88y3fz3eeksq399rkr6wnx3'

/** Payload filters that are none. */
export function filterCases(): BadInput[] {
  return [
    badFilter({}, 'out_of_range', '/filter'),
    badFilter({ id: 'evt_1' }, 'unknown_member', '/filter/id'),
    badFilter({ 'data.n': 9007199254740992 }, 'out_of_range', '/filter/data.n'),
    badFilter({ agent: { $in: [] } }, 'out_of_range', '/filter/agent/$in'),
    badFilter({ agent: { $gt: true } }, 'invalid_type', '/filter/agent/$gt'),
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
export function deliveryCases(now: number): BadInput[] {
  return [
    badList('nothing', '', 'filter_too_wide'),
    badList('a type alone', '?type=task.failed', 'filter_too_wide'),
    badList('an error class alone', '?error_class=timeout&before=2026-01-01T00:00:00Z', 'filter_too_wide'),
    badList('another status than failed alone', '?status=delivered', 'filter_too_wide'),
    badList('an unknown error class', '?status=failed&error_class=http_2xx', 'invalid_parameter', 'error_class'),
    badList('an id of something else', '?webhook_id=evt_01m88y3fz3eeksq399rkr6wnx3', 'invalid_parameter', 'webhook_id'),
    badList('an ill-formed event', '?event_id=evt_1', 'invalid_parameter', 'event_id'),
    badList(
      'both names of the types',
      '?status=failed&type=task.failed&types=task.failed',
      'invalid_parameter',
      'types',
    ),
    badList('an unknown parameter', '?status=failed&state=failed', 'unknown_parameter', 'state'),
    badList('an empty parameter', '?status=failed&task_id=', 'empty_parameter', 'task_id'),
    badList('a repeated parameter', '?status=failed&status=failed', 'repeated_parameter', 'status'),
    badList('a bad cursor', '?status=failed&cursor=x', 'invalid_cursor', 'cursor'),
    badList('another include', '?status=failed&include=log', 'invalid_parameter', 'include'),
    badList('attempts of too many', '?status=failed&include=attempts&limit=101', 'invalid_parameter', 'limit'),
    absent('a delivery that is not there', 'GET', DELIVERY),
    absent('no delivery id', 'GET', '/v1/deliveries/1'),
    absent('a delivery under a route that was removed', 'GET', `/v1/webhooks${DELIVERY.slice('/v1'.length)}`),
    absent('a redelivery of an unknown delivery', 'POST', `${DELIVERY}/redeliver`),
    absent('a redelivery of no delivery id', 'POST', '/v1/deliveries/1/redeliver'),
    absent('a redelivery by filter that is not there', 'GET', REDELIVERY),
    absent('the end of a redelivery by filter that is not there', 'DELETE', REDELIVERY),
    {
      name: 'redeliveries by a bad cursor',
      method: 'GET',
      path: '/v1/redeliveries?cursor=x',
      status: 400,
      code: 'invalid_cursor',
      names: 'cursor',
    },
    absent('no redelivery id', 'GET', '/v1/redeliveries/1'),
    absent('replays of a webhook that is not there', 'GET', '/v1/webhooks/whk_01m88y3fz3eeksq399rkr6wnx3/replays'),
    absent('statistics of a webhook that is not there', 'GET', `/v1/webhooks/${WEBHOOK}/stats`),
    {
      name: 'statistics of another window',
      method: 'GET',
      path: `/v1/webhooks/${WEBHOOK}/stats?window=30d`,
      status: 400,
      code: 'invalid_parameter',
      names: 'window',
    },
    badRedelivery({}, 'required', '/filter'),
    badRedelivery({ filter: [] }, 'invalid_type', '/filter'),
    badRedelivery({ filter: { webhook_id: WEBHOOK }, dry_run: 'yes' }, 'invalid_type', '/dry_run'),
    badRedelivery({ filter: { webhook_id: WEBHOOK }, limit: 1 }, 'unknown_member', '/limit'),
    badRedelivery({ filter: { webhook_id: WEBHOOK, limit: 1 } }, 'unknown_member', '/filter/limit'),
    badRedelivery({ filter: { webhook_id: 'whk_1' } }, 'invalid_value', '/filter/webhook_id'),
    badRedelivery({ filter: { webhook_id: WEBHOOK, status: 'queued' } }, 'invalid_value', '/filter/status'),
    badRedelivery({ filter: { webhook_id: WEBHOOK, type: ['task.failed'] } }, 'invalid_type', '/filter/type'),
    badRedelivery(
      { filter: { webhook_id: WEBHOOK, type: 'task.failed', types: 'task.failed' } },
      'invalid_value',
      '/filter/types',
    ),
    badRedelivery({ filter: { webhook_id: WEBHOOK, after: 'yesterday' } }, 'invalid_value', '/filter/after'),
    badRedelivery({ filter: { task_id: 't' } }, 'required', '/filter'),
    badRedelivery({ filter: { after: new Date(now - 36 * DAY_MS).toISOString() } }, 'out_of_range', '/filter/after'),
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

function badRedelivery(body: object, code: string, names: string): BadInput {
  return {
    name: `a redelivery with ${JSON.stringify(body)}`,
    method: 'POST',
    path: '/v1/deliveries/redeliver',
    headers: JSON_TYPE,
    body: JSON.stringify(body),
    status: 422,
    code,
    names,
  }
}

function absent(name: string, method: BadInput['method'], path: string): BadInput {
  return { name, method, path, status: 404, code: 'not_found' }
}
