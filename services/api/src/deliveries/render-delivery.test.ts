import { expect, test } from '@jest/globals'
import { createEgress, createEgressPolicy, type Resolve } from '@ariftly/egress'
import { newEventId, newTypeId } from '@ariftly/events'
import { createKeyring } from '@ariftly/keyring'
import { sendWebhook, STANDARD_FORMAT } from '@ariftly/webhook-sending'
import { renderAttempt } from './render-delivery.ts'

const UNANSWERED = { dnsMs: 1, connectMs: null, tlsMs: null, firstByteMs: null, totalMs: 1, status: null } as const
const ATTEMPT = {
  ...UNANSWERED,
  attempt: 1,
  probe: false,
  startedAtMs: 0,
  address: '172.18.0.5',
  errorClass: 'dns_error',
  errorDetail: 'the host resolves to a private address',
  responseHeaders: null,
  responseBody: null,
  nextAttemptAtMs: null,
}

/** An attempt to send to a host, as rendered, and its log lines. */
async function trySending(url: string, resolve: Resolve) {
  const keyring = createKeyring(`test:${Buffer.alloc(32, 1).toString('base64')}`)
  const egress = createEgress({ policy: createEgressPolicy({ allowHttp: false }), resolve })
  const webhookId = newTypeId('whk')
  const secret = keyring.seal(Buffer.from('a-signing-secret'), `webhook:acme:${webhookId}`)
  const logged: unknown[] = []
  const log = { error() {}, info: (fields: unknown) => void logged.push(fields) }
  const data = Buffer.from('{"task_id":"t"}')
  const names = { taskId: 't', sessionId: null, agent: null }
  const event = { id: newEventId(0), type: 'task.created' as const, ...names, data }
  const target = {
    webhookId,
    tenant: 'acme',
    url,
    secret,
    previousSecret: null,
    headers: null,
    traceparent: null,
    event,
  }
  const sending = { format: STANDARD_FORMAT, egress, keyring, timeoutMs: 5000, log, nowMs: 0 }
  const { record } = await sendWebhook(target, sending)
  await egress.close()
  return { shown: renderAttempt({ ...record, attempt: 1, probe: false, nextAttemptAtMs: null }), logged }
}

test('a host with a private address and one that does not exist are shown in the same way, and the log has the reason', async () => {
  const url = 'https://redis.internal/'
  const inside = await trySending(url, async () => [{ address: '10.0.0.5', family: 4 }])
  const missing = await trySending(url, async () => {
    throw Object.assign(new Error('queryA ENOTFOUND redis.internal'), { code: 'ENOTFOUND' })
  })
  const unknown = { error: 'dns_error', address: null, dns_ms: null, total_ms: expect.any(Number) }
  expect(inside.shown).toMatchObject({ ...unknown, error_detail: 'the host has no address that may be reached' })
  expect({ ...missing.shown, total_ms: 0 }).toEqual({ ...inside.shown, total_ms: 0 })
  expect(inside.logged).toMatchObject([{ host: 'redis.internal', unreachable: 'private', address: '10.0.0.5' }])
  expect(missing.logged).toMatchObject([{ host: 'redis.internal', unreachable: 'not_found', address: null }])
})

test('an address in the URL that may not be reached is blocked', async () => {
  const { shown } = await trySending('https://10.0.0.5/', async () => [])
  expect(shown).toMatchObject({ error: 'blocked', address: null, dns_ms: null })
})

test('an attempt that a previous version has kept as blocked shows neither the address nor what kind it is', () => {
  const shown = renderAttempt({ ...ATTEMPT, errorClass: 'blocked' })
  expect(shown).toMatchObject({ error: 'blocked', address: null, dns_ms: null })
  const loopback = { ...ATTEMPT, address: '127.0.0.1', errorDetail: 'the host resolves to a loopback address' }
  expect(renderAttempt({ ...loopback, errorClass: 'blocked' })).toEqual(shown)
})

test('an attempt that was made shows the address', () => {
  const refused = { ...ATTEMPT, address: '192.0.2.1', errorClass: 'connection_refused', errorDetail: 'ECONNREFUSED' }
  expect(renderAttempt(refused)).toMatchObject({ address: '192.0.2.1', error_detail: 'ECONNREFUSED', dns_ms: 1 })
})
