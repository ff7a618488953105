import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { eventually } from '@ariftly/testkit'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { startTlsWorld, type TlsWorld } from './tls-world.ts'

let world: TlsWorld
let endpoint: Server
let tokens = 0
let env: Record<string, string>

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url')

/** A token as the broker takes it in a test: a JWT without a signature (RFC 7519, section 6). */
function unsignedToken(subject: string): string {
  const nowS = Math.floor(Date.now() / 1000)
  return `${encode({ alg: 'none' })}.${encode({ sub: subject, iat: nowS - 5, exp: nowS + 600 })}.`
}

beforeAll(async () => {
  endpoint = createServer((request, response) => {
    const known = request.headers.authorization === `Basic ${Buffer.from('events:client-secret').toString('base64')}`
    response.writeHead(known ? 200 : 401, { 'Content-Type': 'application/json' })
    if (known) tokens += 1
    response.end(JSON.stringify(known ? { access_token: unsignedToken('events'), expires_in: 600 } : {}))
  })
  endpoint.listen(0, '127.0.0.1')
  ;[world] = await Promise.all([
    startTlsWorld({ kafkaTokens: true, kafkaLoginMs: 12_000 }),
    once(endpoint, 'listening'),
  ])
  env = {
    KAFKA_SASL_MECHANISM: 'oauthbearer',
    KAFKA_SASL_USER: '',
    KAFKA_SASL_PASSWORD_FILE: '',
    KAFKA_OAUTH_TOKEN_URL: `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}/token`,
    KAFKA_OAUTH_CLIENT_ID: 'events',
    KAFKA_OAUTH_CLIENT_SECRET: 'client-secret',
  }
})
afterAll(async () => {
  await world?.close()
  endpoint?.close()
})

test('services log in at Kafka by a token of an OAuth endpoint', async () => {
  const migrated = await world.migrate(env)
  expect(migrated).toMatchObject({ code: 0 })
  const ingest = await world.start('ingest', env)
  const answer = await eventually('the event is accepted', async () => {
    const response = await fetch(`${ingest.url}/v1/events`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.apiKey}`, 'content-type': 'application/json' },
      body: '{"type":"task.created","task_id":"t","data":{}}',
    })
    return response.status === 202 ? response.status : undefined
  })
  expect(answer).toBe(202)
  expect(tokens).toBeGreaterThan(0)
})

test('an unknown client is refused, with the reason and without the secret', async () => {
  const wrong = { ...env, KAFKA_OAUTH_CLIENT_SECRET: 'wrong-secret-of-the-test' }
  const ingest = await world.start('ingest', { ...wrong, LOG_LEVEL: 'debug' })
  await eventually('the refused login', () =>
    ingest.output().includes('the endpoint answered 401') ? true : undefined,
  )
  expect(ingest.output()).not.toContain('wrong-secret-of-the-test')
})
