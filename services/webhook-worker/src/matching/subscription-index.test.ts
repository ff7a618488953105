import { describe, expect, test } from '@jest/globals'
import type { EventAttributes } from '@ariftly/events'
import type { Subscription } from './read-subscriptions.ts'
import type { Payload } from './record-attributes.ts'
import { SubscriptionIndex } from './subscription-index.ts'

const CREATED_MS = 1_000_000

function subscription(id: string, more: Partial<Subscription> = {}): Subscription {
  const filters = { taskId: null, sessionId: null, agent: null, filter: null }
  return { id, tenant: 'acme', events: ['*'], ...filters, createdAtMs: CREATED_MS, ...more }
}

function event(more: Partial<EventAttributes & Payload> = {}): EventAttributes & Payload {
  const base = { tenant: 'acme', type: 'task.progress', taskId: 't1', sessionId: 's1', agent: 'a1' }
  return { ...base, appendedAtMs: CREATED_MS, data: () => ({ progress: 0.5 }), ...more }
}

function match(index: SubscriptionIndex, one: EventAttributes & Payload): readonly string[] {
  return index.match(one, one)
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
    expect(match(index, event()).toSorted()).toEqual(['by agent', 'high', 'plain'])
    let reads = 0
    const data = (): unknown => ++reads
    const narrow = new SubscriptionIndex([subscription('other task', { filter, taskId: 't2' }), subscription('plain')])
    expect(match(narrow, event({ data }))).toEqual(['plain'])
    expect(reads).toBe(0)
  })

  test.each<[string, Partial<Subscription>, Partial<EventAttributes & Payload>, boolean]>([
    ['everything', {}, {}, true],
    ['the exact type', { events: ['task.progress'] }, {}, true],
    ['a group', { events: ['task.*'] }, {}, true],
    ['another group', { events: ['session.*'] }, {}, false],
    ['a task of an event without one', { taskId: 't1' }, { taskId: null }, false],
    ['all three filters', { taskId: 't1', sessionId: 's1', agent: 'a1' }, {}, true],
    ['two of three filters', { taskId: 't1', sessionId: 's1', agent: 'a2' }, {}, false],
    ['an event of a minute before its creation', {}, { appendedAtMs: CREATED_MS - 60_000 }, true],
    ['an older event', {}, { appendedAtMs: CREATED_MS - 60_001 }, false],
    ['another tenant', { tenant: 'other' }, {}, false],
    ['a tenant that is a prefix', { tenant: 'acm' }, {}, false],
  ])('a webhook for %s', (_, wanted, given, matches) => {
    expect(match(new SubscriptionIndex([subscription('whk', wanted)]), event(given))).toEqual(matches ? ['whk'] : [])
  })

  test('names each webhook once, also when several of its patterns match', () => {
    const index = new SubscriptionIndex([subscription('whk', { events: ['task.progress', 'task.*', '*'] })])
    expect(match(index, event())).toEqual(['whk'])
  })

  test('knows which tenants have webhooks at all', () => {
    const index = new SubscriptionIndex([subscription('whk')])
    expect([index.hasTenant('acme'), index.hasTenant('other')]).toEqual([true, false])
  })

  test('takes changes: a new webhook, another filter, a deleted webhook', () => {
    const filter = '{"data.progress":{"$gte":0.5}}'
    const index = new SubscriptionIndex([subscription('one'), subscription('two'), subscription('four', { filter })])
    expect(index.filtersOf('acme')).toBe(1)
    index.apply([
      { subscription: subscription('three'), enabled: true },
      { subscription: subscription('one', { taskId: 't2' }), enabled: true },
      { subscription: subscription('two'), enabled: false },
      { subscription: subscription('four', { createdAtMs: CREATED_MS + 60_001 }), enabled: true },
    ])
    expect(index.filtersOf('acme')).toBe(0)
    expect(match(index, event())).toEqual(['three'])
    const later = { appendedAtMs: CREATED_MS + 1 }
    expect(match(index, event(later)).toSorted()).toEqual(['four', 'three'])
    expect(match(index, event({ ...later, taskId: 't2' })).toSorted()).toEqual(['four', 'one', 'three'])
    index.apply(['one', 'three', 'four'].map((id) => ({ subscription: subscription(id), enabled: false })))
    expect([index.hasTenant('acme'), match(index, event(later))]).toEqual([false, []])
  })
})
