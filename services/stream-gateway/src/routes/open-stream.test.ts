import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, request, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { deferred } from '@ariftly/async'
import { afterEach, expect, test } from '@jest/globals'
import { Authenticator, generateApiKey } from '@ariftly/auth'
import { createStreamIds, sendError } from '@ariftly/http'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { createLogger } from '@ariftly/runtime'
import type { ApiKeyChange } from '@ariftly/store/api-keys'
import type { EpochReader } from '../epochs/epoch-reader.ts'
import { StreamRegistry } from '../streams/registry.ts'
import type { Streams } from '../streams/streams.ts'
import { createOpenStream } from './open-stream.ts'
import { sealStreamToken } from './stream-token.ts'

const log = createLogger({ service: 'test', level: 'silent' })
const releases: (() => unknown)[] = []

afterEach(async () => {
  for (const release of releases.splice(0)) await release()
})

/** Serves streams to one key. `changes` are what the feed of key changes has; `isFed` settles before it is read for the first time. */
async function serve(o: {
  readonly changes: readonly ApiKeyChange[]
  readonly isFed: Promise<unknown>
  /** Default: none. */
  readonly streamsElsewhere?: () => Promise<number>
}) {
  const { key } = generateApiKey()
  const quota = { eventsPerS: null, bytesPerS: null }
  const keyRecord = () => ({
    id: 'key_1',
    tenant: 'acme',
    scopes: ['events:read'],
    quota,
    expiresAtMs: null,
    revokedAtMs: o.changes.length > 0 ? 1 : null,
    limits: { eventsPerS: null, streams: o.streamsElsewhere === undefined ? null : 5, webhooks: null },
    tenantState: 'active' as const,
    secret: 1,
    secretEndsAtMs: null,
  })
  const auth = new Authenticator({
    lookup: (hashes) => Promise.resolve(hashes.map(keyRecord)),
    lookupById: (secrets) => Promise.resolve(secrets.map(keyRecord)),
    latestChange: () => o.isFed.then(() => 0),
    changesSince: (seq) =>
      Promise.resolve({ latestSeq: o.changes.length, removedSeq: 0, changes: o.changes.slice(seq) }),
    log,
    feedEveryMs: 5,
  })
  releases.push(() => auth.close())
  const keyring = createKeyring(generateEncryptionKey('k1'))
  const openStream = createOpenStream({
    auth,
    ids: createStreamIds(keyring),
    sealer: keyring,
    epochReader: () => ({}) as EpochReader,
    isOtherLog: () => false,
    // A request that gets the answer "no room" has passed all other checks.
    streams: { registry: new StreamRegistry() } as Streams,
    isDraining: () => false,
    streamsMax: 0,
    streamsPerKeyMax: 1,
    streamsElsewhere: o.streamsElsewhere ?? (() => Promise.resolve(0)),
    streamsPerTenantMax: 1,
  })
  const server = createServer((req, res) => void openStream(req, res).catch((error) => sendError(req, res, error, log)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  releases.push(() => server.closeAllConnections() ?? server.close())
  const { port } = server.address() as AddressInfo

  /** The code of the refusal of a form that arrives in two pieces. */
  async function post(meanwhile: () => Promise<unknown> = () => Promise.resolve()): Promise<string> {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded' }
    const req = request({ port, host: '127.0.0.1', method: 'POST', path: '/v1/events/stream', headers })
    req.write('task_id=')
    await meanwhile()
    req.end('t1')
    const [res] = (await once(req, 'response')) as [IncomingMessage]
    return (JSON.parse(await text(res)) as { code: string }).code
  }

  /** The code of the refusal of a stream that is asked for by the key, or by a token of it. */
  async function open(by: 'key' | 'token'): Promise<string> {
    const token = sealStreamToken(keyring, { keyId: 'key_1', secret: 1, filter: {}, expiresAtMs: Date.now() + 60_000 })
    const url = `http://127.0.0.1:${port}/v1/events/stream`
    const answer =
      by === 'key'
        ? await fetch(url, { headers: { authorization: `Bearer ${key}` } })
        : await fetch(`${url}?token=${encodeURIComponent(token)}`)
    return ((await answer.json()) as { code: string }).code
  }

  return { auth, server, post, open }
}

test('a key that is revoked while the form of a stream is still arriving opens no stream', async () => {
  const changes: ApiKeyChange[] = []
  const { auth, server, post } = await serve({ changes, isFed: Promise.resolve() })
  while (!auth.ready) await new Promise(setImmediate)
  expect(await post(() => once(server, 'request'))).toBe('gateway_full')
  const revoked = new Promise((resolve) => auth.onRevoked(resolve))
  const code = await post(async () => {
    await once(server, 'request')
    changes.push({ seq: 1, keyId: 'key_1', kind: 'revoked', secret: null, endsAtMs: null })
    await revoked
  })
  expect(code).toBe('invalid_api_key')
})

test.each(['key', 'token'] as const)(
  'no stream opens by a %s that is revoked while the streams of other gateways are counted',
  async (by) => {
    const changes: ApiKeyChange[] = []
    let meanwhile: (() => Promise<void>) | undefined
    const counted = async () => {
      await meanwhile?.()
      return 0
    }
    const { auth, open } = await serve({ changes, isFed: Promise.resolve(), streamsElsewhere: counted })
    while (!auth.ready) await new Promise(setImmediate)
    expect(await open(by)).toBe('gateway_full')
    const revoked = new Promise<void>((resolve) => auth.onRevoked(() => resolve()))
    meanwhile = () => {
      changes.push({ seq: 1, keyId: 'key_1', kind: 'revoked', secret: null, endsAtMs: null })
      return revoked
    }
    expect(await open(by)).toMatch(/^invalid_(api_key|stream_token)$/)
  },
)

test('no stream opens before the changes of keys were read once, as a revocation of its key would not reach it', async () => {
  const fed = deferred()
  const { auth, post } = await serve({ changes: [], isFed: fed.promise })
  expect(await post()).toBe('starting')
  fed.resolve()
  while (!auth.ready) await new Promise(setImmediate)
  expect(await post()).toBe('gateway_full')
})
