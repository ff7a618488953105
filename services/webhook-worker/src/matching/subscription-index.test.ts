import { describe, expect, test } from '@jest/globals'
import { EVENT_TYPES } from '@ariftly/events'
import type { Subscription } from './read-subscriptions.ts'
import { expandTypes, SubscriptionIndex, type EventAttributes } from './subscription-index.ts'

const CREATED_MS = 1_000_000

function subscription(id: string, more: Partial<Subscription> = {}): Subscription {
  const filters = { taskId: null, sessionId: null, agent: null, filter: null }
  return { id, tenant: 'acme', events: ['*'], ...filters, createdAtMs: CREATED_MS, ...more }
}

function event(more: Partial<EventAttributes> = {}): EventAttributes {
  const base = { tenant: 'acme', type: 'task.progress', taskId: 't1', sessionId: 's1', agent: 'a1' }
  return { ...base, appendedAtMs: CREATED_MS, data: () => ({ progress: 0.5 }), ...more }
}

describe('the subscription index', () => {
  test('asks for the payload only of what a filtered webhook wants otherwise', () => {
    const filter = '{"data.progress":{"$gte":0.5}}'
    const index = new SubscriptionIndex([
      subscription('plain'),
      subscription('high', { filter }),
      subscription('low', { filter: '{"data.progress":{"$lt":0.5}}' }),
      subscription('by agent', { filter: '{"agent":{"$in":["a1","a2"]}}' }),
      subscription('other task', { filter, taskId: 't2' }),
    ])
    expect(index.match(event()).toSorted()).toEqual(['by agent', 'high', 'plain'])
    let reads = 0
    const data = (): unknown => ++reads
    const narrow = new SubscriptionIndex([subscription('other task', { filter, taskId: 't2' }), subscription('plain')])
    expect(narrow.match(event({ data }))).toEqual(['plain'])
    expect(reads).toBe(0)
  })

  test.each<[string, Partial<Subscription>, Partial<EventAttributes>, boolean]>([
    ['everything', {}, {}, true],
    ['the exact type', { events: ['task.progress'] }, {}, true],
    ['another type', { events: ['task.complete'] }, {}, false],
    ['a group', { events: ['task.*'] }, {}, true],
    ['another group', { events: ['session.*'] }, {}, false],
    ['the task', { taskId: 't1' }, {}, true],
    ['another task', { taskId: 't2' }, {}, false],
    ['a task of an event without one', { taskId: 't1' }, { taskId: undefined }, false],
    ['the session', { sessionId: 's1' }, {}, true],
    ['another session', { sessionId: 's2' }, {}, false],
    ['the agent', { agent: 'a1' }, {}, true],
    ['another agent', { agent: 'a2' }, {}, false],
    ['all three filters', { taskId: 't1', sessionId: 's1', agent: 'a1' }, {}, true],
    ['two of three filters', { taskId: 't1', sessionId: 's1', agent: 'a2' }, {}, false],
    ['an event of a minute before its creation', {}, { appendedAtMs: CREATED_MS - 60_000 }, true],
    ['an older event', {}, { appendedAtMs: CREATED_MS - 60_001 }, false],
    ['another tenant', { tenant: 'other' }, {}, false],
    ['a tenant that is a prefix', { tenant: 'acm' }, {}, false],
  ])('a webhook for %s', (_, wanted, given, matches) => {
    expect(new SubscriptionIndex([subscription('whk', wanted)]).match(event(given))).toEqual(matches ? ['whk'] : [])
  })

  test('names each webhook once, also when several of its patterns match', () => {
    const index = new SubscriptionIndex([subscription('whk', { events: ['task.progress', 'task.*', '*'] })])
    expect(index.match(event())).toEqual(['whk'])
  })

  test('knows which tenants have webhooks at all', () => {
    const index = new SubscriptionIndex([subscription('whk')])
    expect([index.hasTenant('acme'), index.hasTenant('other')]).toEqual([true, false])
  })

  test('takes changes: a new webhook, another filter, a deleted webhook', () => {
    const index = new SubscriptionIndex([subscription('one'), subscription('two')])
    index.apply([
      { subscription: subscription('three'), enabled: true },
      { subscription: subscription('one', { taskId: 't2' }), enabled: true },
      { subscription: subscription('two'), enabled: false },
    ])
    expect(index.match(event())).toEqual(['three'])
    expect(index.match(event({ taskId: 't2' }))).toEqual(['three', 'one'])
    index.apply(['one', 'three'].map((id) => ({ subscription: subscription(id), enabled: false })))
    expect(index.hasTenant('acme')).toBe(false)
  })
})

describe('expandTypes', () => {
  test('expands patterns to exact types, and unknown patterns to none', () => {
    expect([...expandTypes(['*'])]).toEqual([...EVENT_TYPES])
    expect([...expandTypes(['approval.*', 'task.failed'])]).toEqual([
      'approval.requested',
      'approval.resolved',
      'task.failed',
    ])
    expect([...expandTypes(['task', 'task.', '.*', 'nothing.*'])]).toEqual([])
  })
})
