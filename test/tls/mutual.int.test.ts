import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createTestAuthority, type TestCertificate } from '@ariftly/testkit'
import { startTlsWorld, type TlsWorld } from './tls-world.ts'

let world: TlsWorld
/** What shows a client's certificate to Kafka, and to Postgres. */
let [toKafka, toPostgres]: Record<string, string>[] = []

beforeAll(async () => {
  world = await startTlsWorld({ mutual: true, parts: ['kafka', 'postgres'] })
  const certificate = world.authority.issue({ names: ['ariftly-events'] })
  toKafka = shows('KAFKA', 'own', certificate)
  toPostgres = shows('DATABASE', 'own', certificate)
})

afterAll(async () => world?.close())

test('servers that ask for a certificate get the one of the settings', async () => {
  expect(await world.migrate({ ...toKafka, ...toPostgres })).toMatchObject({ code: 0 })
  expect(await status({ ...toKafka, ...toPostgres })).toMatchObject({
    code: 0,
    output: expect.stringContaining('partition'),
  })
})

test('without one, or with an untrusted one, connections are refused', async () => {
  const foreign = createTestAuthority('Another authority').issue({ names: ['ariftly-events'] })
  const refusals: readonly (readonly [Record<string, string>, RegExp])[] = [
    // TLS 1.3 has its own alert for this; a broker may still send the one of TLS 1.2 (RFC 8446, section 6.2).
    [{ ...toPostgres }, /certificate required|bad certificate/],
    [{ ...toPostgres, ...shows('KAFKA', 'foreign', foreign) }, /unknown ca|certificate unknown|bad certificate/],
    [{ ...toKafka }, /requires a valid client certificate/],
    [{ ...toKafka, ...shows('DATABASE', 'foreign', foreign) }, /unknown ca/],
  ]
  for (const [env, reason] of refusals) {
    expect(await status(env)).toEqual({ code: 1, output: expect.stringMatching(reason) })
  }
})

function status(env: Record<string, string>) {
  return world.run('projector', ['status'], env)
}

function shows(backend: string, name: string, { cert, key }: TestCertificate): Record<string, string> {
  return {
    [`${backend}_TLS_CERT_FILE`]: world.file(`${backend}-${name}.pem`, cert),
    [`${backend}_TLS_KEY_FILE`]: world.file(`${backend}-${name}-key.pem`, key),
  }
}
