import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, request, type IncomingMessage } from 'node:http'
import { afterEach, expect, test } from '@jest/globals'
import { createAuthenticator, generateApiKey, type KeyChange } from '@ariftly/auth'
import { sendError } from '@ariftly/http'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { createLogger } from '@ariftly/runtime'
import { createOpenStream } from './open-stream.ts'
import { createStreamIds } from '../frames/stream-id.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const releases: (() => unknown)[] = []

afterEach(async () => {
  for (const release of releases.splice(0)) await release()
})

test('a key that is revoked while the form of a stream is still coming opens no stream', async () => {
  const { key } = generateApiKey()
  const changes: KeyChange[] = []
  const quota = { eventsPerS: null, bytesPerS: null }
  const auth = createAuthenticator({
    lookup: () =>
      Promise.resolve({
        id: 'key_1',
        tenant: 'acme',
        scopes: ['events:read'],
        quota,
        expiresAtMs: null,
        revokedAtMs: changes.length > 0 ? 1 : null,
        limits: { eventsPerS: null, streams: null, webhooks: null },
        tenantState: 'active',
        secret: 1,
        secretEndsAtMs: null,
      }),
    latestChange: () => Promise.resolve(0),
    changesSince: (seq) => Promise.resolve({ latestSeq: changes.length, changes: changes.slice(seq) }),
    log,
    feedEveryMs: 5,
  })
  releases.push(() => auth.close())
  const keyring = createKeyring(generateEncryptionKey('k1'))
  const openStream = createOpenStream({
    auth,
    ids: createStreamIds(keyring),
    sealer: keyring,
    // Who gets as far as to be told that nothing can be read yet would have been let in.
    epochReader: () => undefined,
    streams: undefined as never,
    isDraining: () => false,
    streamsMax: 1,
    streamsPerKeyMax: 1,
    streamsElsewhere: () => Promise.resolve(0),
    streamsPerTenantMax: 1,
  })
  const server = createServer((req, res) => void openStream(req, res).catch((error) => sendError(req, res, error, log)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  releases.push(() => server.closeAllConnections() ?? server.close())
  const { port } = server.address() as AddressInfo

  async function post(meanwhile: () => Promise<unknown>): Promise<number | undefined> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded' }
    const req = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/events/stream', headers })
    req.write('task_id=')
    await meanwhile()
    req.end('t1')
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    res.resume()
    return res.statusCode
  }

  while (!auth.ready) await new Promise(setImmediate)
  expect(await post(() => once(server, 'request'))).toBe(503)
  const revoked = new Promise((resolve) => auth.onRevoked(resolve))
  const status = await post(async () => {
    await once(server, 'request')
    changes.push({ seq: 1, keyId: 'key_1', kind: 'revoked', secret: null, endsAtMs: null })
    await revoked
  })
  expect(status).toBe(401)
})
