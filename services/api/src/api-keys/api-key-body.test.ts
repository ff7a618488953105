import { describe, expect, test } from '@jest/globals'
import { Problem } from '@ariftly/http'
import { readApiKeyRequest } from './api-key-body.ts'

const nowMs = Date.UTC(2026, 10, 25)
const good = { name: 'fleet', scopes: ['events:write'] }

/** The pointers of the faults. */
function pointersOf(body: unknown): readonly (string | undefined)[] {
  try {
    readApiKeyRequest(body, nowMs)
  } catch (error) {
    if (error instanceof Problem && error.status === 422)
      return error.details.errors?.map(({ pointer }) => pointer) ?? []
    throw error
  }
  return []
}

describe('readApiKeyRequest', () => {
  test('names the members that there are, and the nearest one', () => {
    const message =
      'is not a member that can be set here, which are name, scopes, tenant, expires_at, quota. Did you mean tenant?'
    const errors = [{ pointer: '/tenant_id', code: 'unknown_member', message }]
    expect(() => readApiKeyRequest({ ...good, tenant_id: 'a' }, nowMs)).toThrow(
      expect.objectContaining({ details: expect.objectContaining({ errors }) }),
    )
  })

  test('reads all members, and null as absent', () => {
    const quota = { events_per_s: 1000, bytes_per_s: 5_000_000 }
    const expires_at = '2026-11-26T01:00:00+01:00'
    expect(readApiKeyRequest({ ...good, tenant: 'a-1', expires_at, quota }, nowMs)).toEqual({
      name: 'fleet',
      scopes: ['events:write'],
      tenant: 'a-1',
      expiresAtMs: Date.UTC(2026, 10, 26),
      quota: { eventsPerS: 1000, bytesPerS: 5_000_000 },
    })
    const bare = { tenant: undefined, expiresAtMs: null, quota: { eventsPerS: null, bytesPerS: null } }
    expect(readApiKeyRequest({ ...good, tenant: null, expires_at: null, quota: null }, nowMs)).toMatchObject(bare)
  })

  test.each<[string, unknown, readonly string[]]>([
    ['an array', [], ['']],
    ['null', null, ['']],
    ['a text', 'x', ['']],
    ['nothing in it', {}, ['/name', '/scopes']],
    ['an unknown member', { ...good, 'a/b~': 1 }, ['/a~1b~0']],
    ['an empty name', { ...good, name: '' }, ['/name']],
    ['a long name', { ...good, name: 'x'.repeat(129) }, ['/name']],
    ['a name with a line end', { ...good, name: 'a\nb' }, ['/name']],
    ['a name with a NUL', { ...good, name: 'a\0' }, ['/name']],
    ['a name with half a character', { ...good, name: '\ud800' }, ['/name']],
    ['no scope', { ...good, scopes: [] }, ['/scopes']],
    ['scopes as a text', { ...good, scopes: 'admin' }, ['/scopes']],
    ['bad scopes', { ...good, scopes: ['admin', 'root', 1, 'admin'] }, ['/scopes/1', '/scopes/2', '/scopes/3']],
    ['a bad tenant', { ...good, tenant: 'A' }, ['/tenant']],
    ['a tenant that is a number', { ...good, tenant: 7 }, ['/tenant']],
    ['an expiry in the past', { ...good, expires_at: '2026-11-25T00:00:00Z' }, ['/expires_at']],
    ['an expiry that is no time', { ...good, expires_at: 'soon' }, ['/expires_at']],
    ['an expiry that is a number', { ...good, expires_at: nowMs + 1 }, ['/expires_at']],
    ['a quota that is a number', { ...good, quota: 5 }, ['/quota']],
    [
      'quotas out of range',
      { ...good, quota: { events_per_s: 0, bytes_per_s: 1.5 } },
      ['/quota/events_per_s', '/quota/bytes_per_s'],
    ],
    ['a quota of 2^53', { ...good, quota: { bytes_per_s: 2 ** 53 } }, ['/quota/bytes_per_s']],
    ['a quota beyond all numbers of Postgres', { ...good, quota: { bytes_per_s: 1e300 } }, ['/quota/bytes_per_s']],
    ['an unknown quota', { ...good, quota: { events: 1 } }, ['/quota/events']],
  ])('a body with %s is refused with pointers', (_, body, pointers) => {
    expect(pointersOf(body)).toEqual(pointers)
  })

  test('no body is 422', () => {
    expect(() => readApiKeyRequest(undefined, nowMs)).toThrow(
      expect.objectContaining({ status: 422, code: 'missing_body' }),
    )
  })
})
