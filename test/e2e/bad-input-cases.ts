import { gzipSync } from 'node:zlib'
import { cloudEventCases } from './cloud-event-cases.ts'
import { administrationCases } from './bad-administration-cases.ts'
import { deliveryCases, filterCases } from './delivery-input-cases.ts'
import { refusedNotOutageCases } from './refused-not-outage-cases.ts'

/**
 * One bad request and its expected answer. `code` is the code of the first of the problem's `errors`, or the problem's own where
 * it has none; `names` is the pointer (`/x`) or the query parameter of the first error.
 */
export interface BadInput {
  readonly name: string
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE' | 'PUT'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
  readonly status: number
  readonly code: string
  readonly names?: string
}

const JSON_TYPE = { 'content-type': 'application/json' }
const FORM_TYPE = { 'content-type': 'application/x-www-form-urlencoded' }
const DAY_MS = 86_400_000
const OLD_ID = 'evt_01d8ne9a00e8xsxpyrkwknvx8q' // A UUIDv7 of 2019.
const EVENT = '{"type":"task.created","task_id":"t","data":{}}'
const ABSENT_EVENT = 'evt_01m88y3fz3eeksq399rkr6wnx3'

/** Every case over all routes; `now` makes the times. */
export function badInputs(now: number): readonly BadInput[] {
  return [
    ...requestCases(),
    ...eventCases(now),
    ...dataCases(),
    ...cloudEventCases(),
    ...listCases(),
    ...streamCases(),
    ...webhookCases(),
    ...webhookActionCases(now),
    ...filterCases(),
    ...deliveryCases(now),
    ...keyCases(),
    ...administrationCases(),
    ...accessCases(),
    ...refusedNotOutageCases(),
  ]
}

function post(name: string, body: string | Buffer, status: number, code: string, names?: string): BadInput {
  const base = { name, method: 'POST', path: '/v1/events', headers: JSON_TYPE, body, status, code } as const
  return names === undefined ? base : { ...base, names }
}

function requestCases(): BadInput[] {
  const typed = (
    name: string,
    headers: Record<string, string>,
    body: string | Buffer,
    status: number,
    code: string,
  ) => ({
    ...post(name, body, status, code),
    headers,
  })
  return [
    post('empty body', '', 422, 'missing_body'),
    post('no JSON', 'hello', 400, 'malformed_json'),
    post('JSON that ends early', '{"type":"task.created"', 400, 'malformed_json'),
    post('JSON with a comma too much', '{"type":"task.created",}', 400, 'malformed_json'),
    post('two values', `${EVENT}${EVENT}`, 400, 'malformed_json'),
    post('a number with a leading zero', '{"type":01}', 400, 'malformed_json'),
    post('invalid UTF-8', Buffer.from('7b2274797065223a22ff227d', 'hex'), 400, 'invalid_utf8'),
    post('a string as body', '"task.created"', 422, 'invalid_type', ''),
    post('null as body', 'null', 422, 'invalid_type', ''),
    post('an empty array', '[]', 422, 'empty_batch', ''),
    post('an array of numbers', '[1,2]', 422, 'invalid_type', ''),
    post('1,001 events', `[${Array(1001).fill(EVENT).join(',')}]`, 413, 'too_many_events'),
    post('more than 5 MiB', `[${EVENT}${' '.repeat(5 * 1024 * 1024)}]`, 413, 'body_too_large'),
    typed('text/plain', { 'content-type': 'text/plain' }, EVENT, 415, 'unsupported_media_type'),
    typed('a form', FORM_TYPE, 'type=task.created', 415, 'unsupported_media_type'),
    typed('no content type', { 'content-type': '' }, Buffer.from(EVENT), 415, 'unsupported_media_type'),
    typed(
      'charset latin1',
      { 'content-type': 'application/json; charset=iso-8859-1' },
      EVENT,
      415,
      'unsupported_media_type',
    ),
    typed('encoding zstd', { ...JSON_TYPE, 'content-encoding': 'zstd' }, EVENT, 415, 'unsupported_encoding'),
    typed('gzip that is none', { ...JSON_TYPE, 'content-encoding': 'gzip' }, EVENT, 400, 'invalid_encoding'),
    typed(
      'a gzip bomb',
      { ...JSON_TYPE, 'content-encoding': 'gzip' },
      gzipSync(Buffer.alloc(64 << 20)),
      413,
      'body_too_large',
    ),
    typed('NDJSON without a line', { 'content-type': 'application/x-ndjson' }, '\n\n', 422, 'empty_batch'),
    typed('NDJSON of no JSON', { 'content-type': 'application/x-ndjson' }, 'a\nb\n', 422, 'malformed_json'),
  ]
}

/** An event with members changed; undefined leaves one out. */
function eventWith(changes: Readonly<Record<string, unknown>>): string {
  return JSON.stringify({ type: 'task.created', task_id: 'task_1', data: {}, ...changes })
}

function badEvent(name: string, changes: Record<string, unknown>, code: string, pointer: string): BadInput {
  return post(name, eventWith(changes), 422, code, pointer)
}

function eventCases(now: number): BadInput[] {
  return [
    badEvent('no type', { type: undefined }, 'required', '/type'),
    badEvent('an unknown type', { type: 'task.deleted' }, 'invalid_value', '/type'),
    badEvent('a type that is a number', { type: 1 }, 'invalid_type', '/type'),
    badEvent('an unknown member', { taskid: 'task_1' }, 'unknown_member', '/taskid'),
    badEvent('a member with a slash in its name', { 'a/b~c': 1 }, 'unknown_member', '/a~1b~0c'),
    badEvent('no task_id', { task_id: undefined }, 'required', '/task_id'),
    badEvent('a task_id that is null', { task_id: null }, 'required', '/task_id'),
    badEvent('a task_id that is a number', { task_id: 7 }, 'invalid_type', '/task_id'),
    badEvent('an empty task_id', { task_id: '' }, 'invalid_value', '/task_id'),
    badEvent('a task_id with a space', { task_id: 'a b' }, 'invalid_value', '/task_id'),
    badEvent('a task_id of 129 characters', { task_id: 'x'.repeat(129) }, 'invalid_value', '/task_id'),
    badEvent('an agent with a line break', { agent: 'a\nb' }, 'invalid_value', '/agent'),
    badEvent('a session event without session_id', { type: 'session.closed' }, 'required', '/session_id'),
    badEvent('an id of another kind', { id: 'task_01m88y3fz3eeksq399rkr6wnx3' }, 'invalid_value', '/id'),
    badEvent('an id of a UUIDv4', { id: 'evt_7zzzzzzzzz8zzvzzzzzzzzzzzz' }, 'invalid_value', '/id'),
    badEvent('an id in capitals', { id: 'evt_01M88Y3FZ3EEKSQ399RKR6WNX3' }, 'invalid_value', '/id'),
    badEvent('an id older than history', { id: OLD_ID }, 'out_of_range', '/id'),
    badEvent('a created_at that is no time', { created_at: 'yesterday' }, 'invalid_value', '/created_at'),
    badEvent(
      'a created_at older than history',
      { created_at: isoTime(now - 91 * DAY_MS) },
      'out_of_range',
      '/created_at',
    ),
    badEvent('a created_at ten minutes ahead', { created_at: isoTime(now + 600_000) }, 'out_of_range', '/created_at'),
    badEvent('an idempotency_key without created_at', { idempotency_key: 'k' }, 'required', '/created_at'),
    badEvent(
      'an empty idempotency_key',
      { created_at: isoTime(now), idempotency_key: '' },
      'invalid_value',
      '/idempotency_key',
    ),
    badEvent('no data', { data: undefined }, 'required', '/data'),
    badEvent('data that is an array', { data: [] }, 'invalid_type', '/data'),
    post(
      'a member twice',
      '{"type":"task.created","type":"task.created","task_id":"t","data":{}}',
      422,
      'invalid_value',
      '/type',
    ),
    post(
      'a member twice, once escaped',
      '{"type":"task.created","\\u0074ype":"x","task_id":"t","data":{}}',
      422,
      'invalid_value',
      '/type',
    ),
  ]
}

function badData(type: string, data: string, code: string, pointer: string): BadInput {
  return post(
    `${type} with data ${data.slice(0, 60)}`,
    `{"type":"${type}","task_id":"t","data":${data}}`,
    422,
    code,
    pointer,
  )
}

function dataCases(): BadInput[] {
  return [
    badData('task.progress', '{}', 'required', '/data/message'),
    badData('task.progress', '{"message":1}', 'invalid_type', '/data/message'),
    badData('task.progress', '{"message":"m","progress":2}', 'out_of_range', '/data/progress'),
    badData('task.complete', '{"artifact_count":-1}', 'out_of_range', '/data/artifact_count'),
    badData('task.complete', '{"artifact_count":1.5}', 'invalid_type', '/data/artifact_count'),
    badData('task.failed', '{"error":"no"}', 'invalid_type', '/data/error'),
    badData('task.failed', '{"error":{}}', 'required', '/data/error/message'),
    badData('artifact.emitted', '{"artifact_id":"a"}', 'required', '/data/type'),
    badData('approval.requested', '{"approval_id":"a","expires_at":"soon"}', 'invalid_value', '/data/expires_at'),
    badData('approval.resolved', '{"approval_id":"a","decision":"maybe"}', 'invalid_value', '/data/decision'),
    badData('tool_call.executed', '{"tool":"t","status":"fine"}', 'invalid_value', '/data/status'),
    badData('task.created', '{"task_id":"other"}', 'invalid_value', '/data/task_id'),
    badData('task.created', '{"a":1,"a":2}', 'invalid_value', '/data/a'),
    badData('task.created', '{"a":{"b":"\\u0000"}}', 'invalid_value', '/data/a/b'),
    badData('task.created', '{"a":["x","\\ud800"]}', 'invalid_value', '/data/a/1'),
    badData('task.created', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'out_of_range', '/data'),
    badData('task.created', `{"a":"${'x'.repeat(256 * 1024)}"}`, 'too_long', '/data'),
  ]
}

function badList(query: string, names: string, code = 'invalid_parameter'): BadInput {
  return { name: `GET /v1/events?${query}`, method: 'GET', path: `/v1/events?${query}`, status: 400, code, names }
}

function listCases(): BadInput[] {
  return [
    badList('taskid=task_1', 'taskid', 'unknown_parameter'),
    badList('type=task.created&types=task.created', 'types'),
    badList('task_id=', 'task_id', 'empty_parameter'),
    badList('task_id=a&task_id=b', 'task_id', 'repeated_parameter'),
    badList('task_id=a%20b', 'task_id'),
    badList('agent=%ff', 'agent', 'invalid_encoding'),
    badList('type=task.deleted', 'type'),
    badList('type=task.*', 'type'),
    badList('type=task.created,', 'type'),
    badList('limit=0', 'limit'),
    badList('limit=501', 'limit'),
    badList('limit=1e2', 'limit'),
    badList('limit=-1', 'limit'),
    badList('after=yesterday', 'after'),
    badList('before=2026-02-30T00:00:00Z', 'before'),
    badList('after=1764060000', 'after'),
    badList('order=newest', 'order'),
    badList('include=', 'include', 'empty_parameter'),
    badList('include=data', 'include'),
    badList('include=log,log', 'include'),
    badList('include=log&include=deliveries', 'include', 'repeated_parameter'),
    badList('include=deliveries&limit=101', 'limit'),
    badList('cursor=abc', 'cursor', 'invalid_cursor'),
    {
      name: 'an event with an include that is none',
      method: 'GET',
      path: `/v1/events/${ABSENT_EVENT}?include=attempts`,
      status: 400,
      code: 'invalid_parameter',
      names: 'include',
    },
    { name: 'an event id that is none', method: 'GET', path: '/v1/events/evt_1', status: 404, code: 'not_found' },
    {
      name: 'an event that is not there',
      method: 'GET',
      path: `/v1/events/${ABSENT_EVENT}`,
      status: 404,
      code: 'not_found',
    },
  ]
}

function streamCases(): BadInput[] {
  const path = '/v1/events/stream'
  const bad = (query: string, names: string, code = 'invalid_parameter'): BadInput => {
    return { name: `GET ${path}?${query}`, method: 'GET', path: `${path}?${query}`, status: 400, code, names }
  }
  const form = (body: string, names: string, code: string, query = ''): BadInput => {
    const name = `POST ${path}${query} ${body}`
    return { name, method: 'POST', path: path + query, headers: FORM_TYPE, body, status: 400, code, names }
  }
  return [
    bad('task=task_1', 'task', 'unknown_parameter'),
    bad('type=task.created', 'type', 'unknown_parameter'),
    bad('types=task.created,task.deleted', 'types'),
    bad('types=', 'types', 'empty_parameter'),
    bad('agent=a&agent=b', 'agent', 'repeated_parameter'),
    bad('after=soon', 'after'),
    bad('envelope=maybe', 'envelope'),
    bad('last_event_id=v1.forged', 'last_event_id'),
    form('taskid=a', 'taskid', 'unknown_parameter'),
    form('task_id=a&task_id=b', 'task_id', 'repeated_parameter'),
    form('task_id=a', 'task_id', 'repeated_parameter', '?task_id=a'),
    {
      name: 'a forged Last-Event-ID',
      method: 'GET',
      path,
      headers: { 'last-event-id': '12345' },
      status: 400,
      code: 'invalid_parameter',
      names: 'Last-Event-ID',
    },
    {
      name: 'a stream asked for in JSON',
      method: 'POST',
      path,
      headers: JSON_TYPE,
      body: '{"task_id":"a"}',
      status: 415,
      code: 'unsupported_media_type',
    },
    {
      name: 'a form of 17 KiB',
      method: 'POST',
      path,
      headers: FORM_TYPE,
      body: `task_id=${'a'.repeat(17 * 1024)}`,
      status: 413,
      code: 'body_too_large',
    },
  ]
}

function webhookCases(): BadInput[] {
  const path = '/v1/webhooks'
  const bad = (name: string, changes: Record<string, unknown>, code: string, names: string): BadInput => {
    const body = JSON.stringify({ url: 'https://example.com/hook', events: ['*'], ...changes })
    return {
      name: `a webhook with ${name}`,
      method: 'POST',
      path,
      headers: JSON_TYPE,
      body,
      status: 422,
      code,
      names,
    }
  }
  const absent = `${path}/whk_01m88y3fz3eeksq399rkr6wnx3`
  return [
    bad('no url', { url: undefined }, 'required', '/url'),
    bad('a url that is none', { url: 'example.com' }, 'invalid_value', '/url'),
    bad('an ftp url', { url: 'ftp://example.com/' }, 'invalid_value', '/url'),
    bad('credentials in the url', { url: 'https://u:p@example.com/' }, 'invalid_value', '/url'),
    bad('the metadata address', { url: 'https://169.254.169.254/latest' }, 'invalid_value', '/url'),
    bad('a private address written in hex', { url: 'https://0x0a000001/' }, 'invalid_value', '/url'),
    bad('a mapped private address', { url: 'https://[::ffff:10.0.0.1]/' }, 'invalid_value', '/url'),
    bad('no events', { events: undefined }, 'required', '/events'),
    bad('an empty list of events', { events: [] }, 'out_of_range', '/events'),
    bad('an unknown event', { events: ['*', 'task.deleted'] }, 'invalid_value', '/events/1'),
    bad('an unknown group', { events: ['tasks.*'] }, 'invalid_value', '/events/0'),
    bad('events as a string', { events: 'task.created' }, 'invalid_type', '/events'),
    bad('a short secret', { secret: 'short' }, 'invalid_value', '/secret'),
    bad('a secret that is not ASCII', { secret: 'ein-größeres-geheimnis' }, 'invalid_value', '/secret'),
    bad('an ill-formed whsec_ secret', { secret: 'whsec_AAAA' }, 'invalid_value', '/secret'),
    bad('an unknown member', { event: ['*'] }, 'unknown_member', '/event'),
    bad('a bad task_id', { task_id: 'a b' }, 'invalid_value', '/task_id'),
    bad('a bad rate_limit', { rate_limit: 0 }, 'out_of_range', '/rate_limit'),
    bad('a bad ordering', { ordering: 'session' }, 'invalid_value', '/ordering'),
    bad('enabled as a string', { enabled: 'yes' }, 'invalid_type', '/enabled'),
    {
      name: 'a webhook of malformed JSON',
      method: 'POST',
      path,
      headers: JSON_TYPE,
      body: '{',
      status: 400,
      code: 'malformed_json',
    },
    {
      name: 'a webhook in a form',
      method: 'POST',
      path,
      headers: FORM_TYPE,
      body: 'url=x',
      status: 415,
      code: 'unsupported_media_type',
    },
    { name: 'a webhook that is not there', method: 'GET', path: absent, status: 404, code: 'not_found' },
    { name: 'a webhook id that is none', method: 'GET', path: `${path}/1`, status: 404, code: 'not_found' },
    {
      name: 'a change of a webhook that is not there',
      method: 'PATCH',
      path: absent,
      headers: JSON_TYPE,
      body: '{}',
      status: 404,
      code: 'not_found',
    },
    { name: 'the end of a webhook that is not there', method: 'DELETE', path: absent, status: 404, code: 'not_found' },
    {
      name: 'deliveries of a webhook that is not there',
      method: 'GET',
      path: `${absent}/deliveries`,
      status: 404,
      code: 'not_found',
    },
    {
      name: 'a list of webhooks with a bad limit',
      method: 'GET',
      path: `${path}?limit=x`,
      status: 400,
      code: 'invalid_parameter',
      names: 'limit',
    },
    {
      name: 'a list of webhooks with a bad cursor',
      method: 'GET',
      path: `${path}?cursor=x`,
      status: 400,
      code: 'invalid_cursor',
      names: 'cursor',
    },
  ]
}

function webhookActionCases(now: number): BadInput[] {
  const webhook = '/v1/webhooks/whk_01m88y3fz3eeksq399rkr6wnx3'
  const replay = `${webhook}/replays/rpl_01m88y3fz3eeksq399rkr6wnx3`
  const after = isoTime(now - DAY_MS)
  const bad = (action: string, body: object, code: string, names: string): BadInput => ({
    name: `${action} with ${JSON.stringify(body)}`,
    method: 'POST',
    path: `${webhook}/${action}`,
    headers: JSON_TYPE,
    body: JSON.stringify(body),
    status: 422,
    code,
    names,
  })
  const absent = (name: string, method: BadInput['method'], path: string, body?: string): BadInput => {
    const base = { name, method, path, status: 404, code: 'not_found' }
    return body === undefined ? base : { ...base, headers: JSON_TYPE, body }
  }
  return [
    bad('rotate-secret', { secret: 'short' }, 'invalid_value', '/secret'),
    bad('rotate-secret', { overlap_hours: 169 }, 'out_of_range', '/overlap_hours'),
    bad('rotate-secret', { overlap_hours: 'day' }, 'invalid_type', '/overlap_hours'),
    bad('rotate-secret', { overlap: 1 }, 'unknown_member', '/overlap'),
    bad('test', { type: 'task.deleted' }, 'invalid_value', '/type'),
    bad('test', { event: 'task.created' }, 'unknown_member', '/event'),
    bad('replay', {}, 'required', '/after'),
    bad('replay', { after: 'yesterday' }, 'invalid_value', '/after'),
    bad('replay', { after: isoTime(now - 31 * DAY_MS) }, 'out_of_range', '/after'),
    bad('replay', { after: isoTime(now + DAY_MS) }, 'out_of_range', '/after'),
    bad('replay', { after, before: isoTime(now - 2 * DAY_MS) }, 'out_of_range', '/before'),
    bad('replay', { after, types: ['task.*'] }, 'invalid_value', '/types/0'),
    bad('replay', { after, status: 'pending' }, 'invalid_value', '/status'),
    bad('replay', { after, dry_run: 1 }, 'invalid_type', '/dry_run'),
    bad('replay', { after, until: after }, 'unknown_member', '/until'),
    bad('replay', { from: 'v1.forged' }, 'invalid_value', '/from'),
    bad('replay', { from: 'v1.forged', after }, 'invalid_value', '/from'),
    {
      name: 'a replay without a body',
      method: 'POST',
      path: `${webhook}/replay`,
      status: 422,
      code: 'missing_body',
    },
    absent('a rotation of a webhook that is not there', 'POST', `${webhook}/rotate-secret`),
    absent('a test of a webhook that is not there', 'POST', `${webhook}/test`),
    absent('a replay of a webhook that is not there', 'POST', `${webhook}/replay`, JSON.stringify({ after })),
    absent('a replay that is not there', 'GET', replay),
    absent('the end of a replay that is not there', 'DELETE', replay),
  ]
}

function keyCases(): BadInput[] {
  const path = '/v1/api-keys'
  const bad = (name: string, body: object, status: number, code: string, names?: string): BadInput => {
    const base = {
      name: `a key with ${name}`,
      method: 'POST',
      path,
      headers: JSON_TYPE,
      body: JSON.stringify(body),
      status,
      code,
    } as const
    return names === undefined ? base : { ...base, names }
  }
  return [
    bad('no name', { scopes: ['events:read'] }, 422, 'required', '/name'),
    bad('no scopes', { name: 'n' }, 422, 'required', '/scopes'),
    bad('an unknown scope', { name: 'n', scopes: ['events:delete'] }, 422, 'invalid_value', '/scopes/0'),
    bad(
      'an expiry that is no time',
      { name: 'n', scopes: ['webhooks'], expires_at: 'never' },
      422,
      'invalid_value',
      '/expires_at',
    ),
    bad(
      'an unknown quota',
      { name: 'n', scopes: ['webhooks'], quota: { events: 1 } },
      422,
      'unknown_member',
      '/quota/events',
    ),
    { name: 'a key that is not there', method: 'DELETE', path: `${path}/key_1`, status: 404, code: 'not_found' },
  ]
}

function withoutKey(method: 'GET' | 'POST', path: string, authorization: string, code: string): BadInput {
  return {
    name: `${method} ${path} with "${authorization}"`,
    method,
    path,
    headers: { authorization },
    status: 401,
    code,
  }
}

function accessCases(): BadInput[] {
  return [
    withoutKey('GET', '/v1/events', '', 'missing_api_key'),
    withoutKey('GET', '/v1/events', 'Bearer', 'missing_api_key'),
    withoutKey('GET', '/v1/events', 'Basic dTpw', 'missing_api_key'),
    withoutKey('GET', '/v1/webhooks', 'Bearer ak_unknown', 'invalid_api_key'),
    withoutKey('GET', '/v1/events/stream', 'Bearer ak_unknown_key_of_some_length', 'invalid_api_key'),
    {
      ...withoutKey('POST', '/v1/events', 'Bearer nobody', 'invalid_api_key'),
      headers: { ...JSON_TYPE, authorization: 'Bearer nobody' },
      body: EVENT,
    },
    { name: 'a route that is not there', method: 'GET', path: '/v1/event', status: 404, code: 'not_found' },
    { name: 'a route outside /v1', method: 'GET', path: '/events', status: 404, code: 'not_found' },
    {
      name: 'a method that is not there',
      method: 'DELETE',
      path: '/v1/events',
      status: 405,
      code: 'method_not_allowed',
    },
    {
      name: 'another method that is not there',
      method: 'PUT',
      path: '/v1/webhooks',
      status: 405,
      code: 'method_not_allowed',
    },
  ]
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}
