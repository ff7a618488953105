import { describe, expect, test } from '@jest/globals'
import { changesOf } from './changes.ts'

describe('changes of a write', () => {
  test('name the innermost members that differ, in the order of the resource', () => {
    const before = { name: 'a', quota: { events_per_s: 5, bytes_per_s: null }, scopes: ['events:read'] }
    const after = { name: 'a', quota: { events_per_s: 9, bytes_per_s: null }, scopes: ['events:read', 'webhooks'] }
    expect(changesOf(before, after)).toEqual([
      { member: '/quota/events_per_s', before: 5, after: 9 },
      { member: '/scopes', before: ['events:read'], after: ['events:read', 'webhooks'] },
    ])
    expect(changesOf(after, after)).toEqual([])
  })

  test('of a creation are the members that are set', () => {
    expect(
      changesOf(undefined, { name: 'a', description: null, quota: { events_per_s: 5, bytes_per_s: null } }),
    ).toEqual([
      { member: '/name', before: null, after: 'a' },
      { member: '/quota/events_per_s', before: null, after: 5 },
    ])
  })

  test('show a cleared member as null', () => {
    expect(changesOf({ task_id: 'task_1' }, { task_id: null })).toEqual([
      { member: '/task_id', before: 'task_1', after: null },
    ])
  })

  test('cut long values between characters, and are at most 32', () => {
    const long = 'é'.repeat(600)
    expect(changesOf({ url: 'x' }, { url: `a${long}` })).toEqual([
      { member: '/url', before: 'x', after: `a${'é'.repeat(511)}`, truncated: true },
    ])
    const types = Array.from({ length: 200 }, (_, number) => `x.type-${number}`)
    const [change] = changesOf({ events: ['*'] }, { events: types })
    expect(change).toMatchObject({ before: ['*'], after: JSON.stringify(types).slice(0, 1024), truncated: true })
    const many = Object.fromEntries(types.map((type) => [type, 1]))
    expect(changesOf(undefined, many)).toHaveLength(32)
  })
})
