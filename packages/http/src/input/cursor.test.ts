import { describe, expect, test } from '@jest/globals'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { createCursorCodec } from './cursor.ts'

const cursors = createCursorCodec(createKeyring(generateEncryptionKey('k1')))
const bound = { tenant: 'a', type: ['x', 'y'], agent: undefined, order: 'desc' }

describe('createCursorCodec', () => {
  const cursor = cursors.encode('events', bound, 'position:1')

  test('gives the position back to the same list, with its filters in any order', () => {
    expect(cursors.decode('events', { order: 'desc', type: ['x', 'y'], tenant: 'a' }, cursor)).toBe('position:1')
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/)
  })

  test.each([
    ['another list', 'webhooks', bound],
    ['another tenant', 'events', { ...bound, tenant: 'b' }],
    ['another filter', 'events', { ...bound, type: ['x'] }],
    ['one filter more', 'events', { ...bound, agent: 'z' }],
    ['another order', 'events', { ...bound, order: 'asc' }],
  ])('is refused for %s', (_, kind, other) => {
    expect(() => cursors.decode(kind, other, cursor)).toThrow(
      expect.objectContaining({ status: 400, code: 'invalid_cursor' }),
    )
  })

  test.each(['', '!', 'AAAA', 'A'.repeat(3000)])('%# garbage is refused', (text) => {
    expect(() => cursors.decode('events', bound, text)).toThrow(expect.objectContaining({ status: 400 }))
  })
})
