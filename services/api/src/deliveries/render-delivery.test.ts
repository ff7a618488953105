import { expect, test } from '@jest/globals'
import { renderAttempt } from './render-delivery.ts'

const UNANSWERED = { dnsMs: 1, connectMs: null, tlsMs: null, firstByteMs: null, totalMs: 1, status: null } as const
const ATTEMPT = {
  ...UNANSWERED,
  attempt: 1,
  probe: false,
  startedAtMs: 0,
  address: '172.18.0.5',
  errorClass: 'blocked',
  errorDetail: 'the host resolves to a private address',
  responseHeaders: null,
  responseBody: null,
  nextAttemptAtMs: null,
}

test('an attempt that was blocked shows neither the address nor what kind it is', () => {
  const shown = renderAttempt(ATTEMPT)
  expect(shown).toMatchObject({ error: 'blocked', address: null })
  const loopback = { ...ATTEMPT, address: '127.0.0.1', errorDetail: 'the host resolves to a loopback address' }
  expect(renderAttempt(loopback)).toEqual(shown)
})

test('an attempt that was made shows the address', () => {
  const refused = { ...ATTEMPT, address: '192.0.2.1', errorClass: 'connection_refused', errorDetail: 'ECONNREFUSED' }
  expect(renderAttempt(refused)).toMatchObject({ address: '192.0.2.1', error_detail: 'ECONNREFUSED' })
})
