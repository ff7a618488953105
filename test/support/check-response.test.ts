import { describe, expect, test } from '@jest/globals'
import { checkResponse, type AnswerToCheck } from './check-response.ts'

const EVENT = {
  object: 'event',
  id: 'evt_01m88y3fz3eeksq399rkr6wnx3',
  type: 'task.progress',
  created_at: '2026-11-25T08:45:37.123Z',
  task_id: 't',
  agent: null,
  session_id: null,
  data: { task_id: 't', own: { deep: 1 } },
}

function answer(change: Partial<Omit<AnswerToCheck, 'body'>> & { readonly body?: unknown }): string | undefined {
  const { body = { object: 'list', data: [EVENT], has_more: false, next_cursor: null }, ...rest } = change
  return checkResponse({
    method: 'GET',
    path: '/v1/events?limit=1',
    status: 200,
    contentType: 'application/json; charset=utf-8',
    ...rest,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const PROBLEM = {
  type: '/problems/not_found',
  title: 'Not found',
  status: 404,
  instance: '/',
  code: 'not_found',
  request_id: 'r',
}
const problem = 'application/problem+json'

describe('an answer', () => {
  test('that is as documented passes', () => {
    expect(answer({})).toBeUndefined()
    expect(answer({ path: '/nowhere', status: 404, contentType: problem, body: PROBLEM })).toBeUndefined()
    expect(
      answer({ method: 'DELETE', path: '/v1/webhooks/x', status: 204, contentType: null, body: '' }),
    ).toBeUndefined()
  })

  test.each([
    [
      'a member too much',
      { body: { object: 'list', data: [], has_more: false, next_cursor: null, extra: 1 } },
      'additionalProperty":"extra',
    ],
    ['a member too few', { body: { object: 'list', data: [], has_more: false } }, 'next_cursor'],
    [
      'a bad value deep inside',
      { body: { object: 'list', data: [{ ...EVENT, id: 'evt_X' }], has_more: false, next_cursor: null } },
      '/data/0/id',
    ],
    ['another type', { contentType: 'text/html' }, 'documented is application/json'],
    ['an undocumented status', { status: 201 }, 'does not have'],
    ['no problem where one is due', { path: '/nowhere', status: 404 }, 'not as a problem'],
    ['half a problem', { status: 400, contentType: problem, body: { status: 400 } }, 'request_id'],
    [
      'a body where there is none',
      { method: 'DELETE', path: '/v1/webhooks/x', status: 204, body: '{}' },
      'with a body',
    ],
  ])('with %s is reported', (_name, change, words) => {
    expect(answer(change)).toContain(words)
  })
})
