import { describe, expect, test } from '@jest/globals'
import { createEgressPolicy } from '@ariftly/egress'
import { Problem } from '@ariftly/http'
import { readNewWebhook, readWebhookChanges } from './webhook-body.ts'

const policy = createEgressPolicy({ allowHttp: false })
const GOOD = { url: 'https://example.com/hook', events: ['task.complete', 'session.*'] }

/** `pointer code` of each error. */
function faults(read: () => unknown): string[] {
  try {
    read()
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    expect({ status: error.status, code: error.code }).toEqual({ status: 422, code: 'invalid_body' })
    return (error.details.errors ?? []).map(({ pointer, code }) => `${pointer} ${code}`)
  }
  return []
}

describe('a new webhook', () => {
  test('of the specification is taken unchanged', () => {
    const body = {
      url: 'https://your-server.com/ariftly-webhook',
      events: ['task.complete', 'approval.requested'],
      secret: 'your-signing-secret',
    }
    expect(readNewWebhook(body, { policy })).toEqual(body)
  })

  test('takes every member, and null for an absent one', () => {
    const body = {
      ...GOOD,
      task_id: 't',
      rate_limit: 1000,
      ordering: 'task',
      headers: { 'X-A': 'b c' },
      enabled: false,
    }
    expect(readNewWebhook({ ...body, agent: null, secret: null, description: null }, { policy })).toEqual(body)
  })

  test.each([
    [{ events: ['*'] }, '/url required'],
    [{ url: GOOD.url }, '/events required'],
    [{ ...GOOD, url: null }, '/url required'],
    [{ ...GOOD, url: 'http://example.com/' }, '/url invalid_value'],
    [{ ...GOOD, url: 'https://u@example.com/' }, '/url invalid_value'],
    [{ ...GOOD, url: 'https://127.1/' }, '/url invalid_value'],
    [{ ...GOOD, url: 7 }, '/url invalid_type'],
    [{ ...GOOD, events: [] }, '/events out_of_range'],
    [{ ...GOOD, events: 'task.created' }, '/events invalid_type'],
    [{ ...GOOD, events: ['*', 'task'] }, '/events/1 invalid_value'],
    [{ ...GOOD, events: ['task.*', 'task.*'] }, '/events/1 invalid_value'],
    [{ ...GOOD, events: [null] }, '/events/0 invalid_type'],
    [{ ...GOOD, events: Array(33).fill('*') }, '/events too_long'],
    [{ ...GOOD, task_id: '' }, '/task_id invalid_value'],
    [{ ...GOOD, session_id: 'x'.repeat(129) }, '/session_id too_long'],
    [{ ...GOOD, agent: 1 }, '/agent invalid_type'],
    [{ ...GOOD, description: 'x'.repeat(1001) }, '/description too_long'],
    [{ ...GOOD, description: 'a\0' }, '/description invalid_value'],
    [{ ...GOOD, description: '\ud800' }, '/description invalid_value'],
    [{ ...GOOD, enabled: 1 }, '/enabled invalid_type'],
    [{ ...GOOD, rate_limit: 1.5 }, '/rate_limit invalid_type'],
    [{ ...GOOD, rate_limit: 1001 }, '/rate_limit out_of_range'],
    [{ ...GOOD, ordering: 'session' }, '/ordering invalid_value'],
    [{ ...GOOD, secret: 'short' }, '/secret invalid_value'],
    [{ ...GOOD, secret: 'whsec_AAAA' }, '/secret invalid_value'],
    [{ ...GOOD, filter: {} }, '/filter out_of_range'],
    [{ ...GOOD, filter: { ['x'.repeat(100)]: 1 } }, `/filter/${'x'.repeat(64)}… unknown_member`],
    [{ ...GOOD, headers: ['a'] }, '/headers invalid_type'],
    [{ ...GOOD, headers: { 'a b': 'c' } }, '/headers/a b invalid_value'],
    [{ ...GOOD, headers: { 'a~b': 'c\r\nd' } }, '/headers/a~0b invalid_value'],
    [{ ...GOOD, headers: { A: 1 } }, '/headers/A invalid_type'],
    [{ ...GOOD, headers: { Host: 'x' } }, '/headers/Host invalid_value'],
    ...['Connection', 'Keep-Alive', 'TE', 'Trailer', 'Transfer-Encoding', 'Upgrade', 'Expect', 'Proxy-Anything'].map(
      (name) => [{ ...GOOD, headers: { [name]: 'x' } }, `/headers/${name} invalid_value`] as const,
    ),
    ...['Content-Type', 'Content-Language', 'traceparent', 'TraceState', 'User-Agent', 'webhook-x'].map(
      (name) => [{ ...GOOD, headers: { [name]: 'x' } }, `/headers/${name} invalid_value`] as const,
    ),
    [{ ...GOOD, headers: { 'Webhook-Id': 'x' } }, '/headers/Webhook-Id invalid_value'],
    [{ ...GOOD, headers: { 'x-ariftly-a': 'x' } }, '/headers/x-ariftly-a invalid_value'],
    [{ ...GOOD, headers: { 'X-A': 'x', 'x-a': 'y' } }, '/headers/x-a invalid_value'],
    [{ ...GOOD, 'a/b': 1 }, '/a~1b unknown_member'],
    [{ ...GOOD, id: 'whk_1' }, '/id unknown_member'],
    [['*'], ' invalid_type'],
  ])('%j is refused: %s', (body, fault) => {
    expect(faults(() => readNewWebhook(body, { policy }))).toEqual([fault])
  })

  test('with several faults gets all of them', () => {
    const body = { url: 'ftp://x/', events: ['a'], what: 1 }
    expect(faults(() => readNewWebhook(body, { policy }))).toEqual([
      '/what unknown_member',
      '/url invalid_value',
      '/events/0 invalid_value',
    ])
    const filter = { 'data.n': { $gt: 2 ** 53, $ge: 1 }, agents: 'a' }
    expect(faults(() => readNewWebhook({ ...GOOD, filter }, { policy }))).toEqual([
      '/filter/data.n/$gt out_of_range',
      '/filter/data.n/$ge unknown_member',
      '/filter/agents unknown_member',
    ])
  })

  test.each(['events', 'filter'])('with empty %s is refused', (name) => {
    const empty = name === 'events' ? [] : {}
    expect(() => readNewWebhook({ ...GOOD, [name]: empty }, { policy })).toThrow(
      expect.objectContaining({
        details: expect.objectContaining({
          errors: [{ pointer: `/${name}`, code: 'out_of_range', message: 'must not be empty' }],
        }) as unknown,
      }),
    )
  })

  test('without a body is 422 missing_body', () => {
    expect(() => readNewWebhook(undefined, { policy })).toThrow(
      expect.objectContaining({ status: 422, code: 'missing_body' }),
    )
  })
})

describe('a change of a webhook', () => {
  test('takes the given members and keeps null, which clears', () => {
    const body = { agent: null, rate_limit: null, headers: null, enabled: true }
    expect(readWebhookChanges(body, { policy })).toEqual(body)
    expect(readWebhookChanges({}, { policy })).toEqual({})
  })

  test.each([
    [{ url: null }, '/url invalid_type'],
    [{ events: null }, '/events invalid_type'],
    [{ enabled: null }, '/enabled invalid_type'],
    [{ ordering: null }, '/ordering invalid_type'],
    [{ url: 'https://10.0.0.1/' }, '/url invalid_value'],
    [{ secret: 'your-signing-secret' }, '/secret unknown_member'],
    [{ created_at: 'x' }, '/created_at unknown_member'],
  ])('%j is refused: %s', (body, fault) => {
    expect(faults(() => readWebhookChanges(body, { policy }))).toEqual([fault])
  })
})
