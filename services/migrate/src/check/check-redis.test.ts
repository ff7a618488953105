import { describe, expect, test } from '@jest/globals'
import { findingsOfInfo } from './check-redis.ts'

const info = (changed: Readonly<Record<string, string>> = {}) =>
  Object.entries({
    redis_version: '8.0.2',
    maxmemory_policy: 'noeviction',
    maxmemory: '400000000',
    role: 'master',
    aof_enabled: '1',
    ...changed,
  })
    .map(([name, value]) => `${name}:${value}\r\n`)
    .join('')

describe('the answer of Redis to INFO', () => {
  test('has no finding when keys are never evicted', () => {
    expect(findingsOfInfo(info())).toEqual([])
  })

  test.each([
    ['error', 'maxmemory-policy is allkeys-lru.', { maxmemory_policy: 'allkeys-lru' }],
    ['error', 'Redis is 6.0.16.', { redis_version: '6.0.16' }],
    ['error', 'The server is a replica.', { role: 'slave' }],
    ['warning', 'maxmemory is not set.', { maxmemory: '0', aof_enabled: '0' }],
  ])('has an %s: %s', (severity, message, changed) => {
    expect(findingsOfInfo(info(changed))).toEqual([
      { backend: 'redis', severity, message, remedy: expect.stringMatching(/\.$/) },
    ])
  })
})
