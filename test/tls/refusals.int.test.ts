import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { Semaphore } from '@ariftly/async'
import { createTestAuthority, eventually, type ServiceProcess, type ServiceProcessName } from '@ariftly/testkit'
import { startTlsWorld, type TlsWorld } from './tls-world.ts'

let world: TlsWorld
/** All that any process of this file has written. */
const outputs: string[] = []

beforeAll(async () => {
  world = await startTlsWorld()
  expect(await world.migrate()).toMatchObject({ code: 0 })
})

afterAll(async () => world?.close())

/** The words of the TLS library, the broker, Postgres and Redis. */
const UNKNOWN = /self-signed certificate|unable to verify|unable to get (local )?issuer/
const WRONG_NAME = /Hostname\/IP does not match certificate's altnames/
const EXPIRED = /certificate has expired/

describe('a service does not connect, and says why', () => {
  const cases: readonly [string, ServiceProcessName, (foreign: string) => Record<string, string>, RegExp][] = [
    ['Kafka of an unknown authority', 'ingest', (ca) => ({ KAFKA_TLS_CA_FILE: ca }), UNKNOWN],
    ['Kafka of an authority that Node does not trust', 'projector', () => ({ KAFKA_TLS_CA_FILE: '' }), UNKNOWN],
    ['Kafka of an unknown authority', 'stream-gateway', (ca) => ({ KAFKA_TLS_CA_FILE: ca }), UNKNOWN],
    ['Kafka of an unknown authority', 'webhook-worker', (ca) => ({ KAFKA_TLS_CA_FILE: ca }), UNKNOWN],
    ['Postgres of an unknown authority', 'api', (ca) => ({ DATABASE_TLS_CA_FILE: ca }), UNKNOWN],
    ['Postgres of an unknown authority', 'projector', (ca) => ({ DATABASE_TLS_CA_FILE: ca }), UNKNOWN],
    ['Redis of an unknown authority', 'webhook-worker', (ca) => ({ REDIS_TLS_CA_FILE: ca }), UNKNOWN],
    ['Kafka that refuses the password', 'ingest', withPassword('scram-sha-512'), /authentication failed/i],
    ['Kafka that refuses the password (plain)', 'projector', withPassword('plain'), /authentication failed/i],
    [
      'Kafka that refuses the password (sha-256)',
      'stream-gateway',
      withPassword('scram-sha-256'),
      /authentication failed/i,
    ],
    ['Kafka without a login', 'webhook-worker', withoutLogin, /Closed connection/],
    ['Postgres that refuses the password', 'api', wrongDatabasePassword, /password authentication failed/],
    ['Postgres in the clear', 'ingest', () => ({ DATABASE_TLS: '', DATABASE_TLS_CA_FILE: '' }), /no encryption/],
    ['Redis that refuses the password', 'webhook-worker', wrongRedisPassword, /WRONGPASS/],
  ]
  // Each mostly waits for seconds, so they run concurrently; each has a test that waits for its result.
  const turns = new Semaphore(4)
  const verdicts: Promise<void>[] = []

  beforeAll(() => {
    const foreign = world.file('foreign.pem', createTestAuthority('Another authority').cert)
    for (const [, name, faultOf, reason] of cases) {
      const verdict = turns.acquire().then(() => refused(name, faultOf(foreign), reason).finally(() => turns.release()))
      verdict.catch(() => undefined) // its test says so
      verdicts.push(verdict)
    }
  })

  test.each(cases.map(([what, name], at) => [what, name, at] as const))(
    '%s: %s',
    async (_what, _name, at) => await verdicts[at],
    60_000,
  )

  test('migrate: it ends, with the reason', async () => {
    const { code, output } = await world.migrate(wrongDatabasePassword())
    outputs.push(output)
    expect({ code, output }).toMatchObject({ code: 1, output: expect.stringMatching(/password authentication failed/) })
  })
})

describe.each([
  ['of another name', { names: ['elsewhere.example'] }, WRONG_NAME],
  ['that has ended', { expired: true }, EXPIRED],
] as const)('a certificate %s', (_what, options, reason) => {
  beforeAll(async () => {
    await serveWith(options)
  })

  test('keeps ingest from Kafka, api from Postgres and webhook-worker from Redis', async () => {
    const names = ['ingest', 'api', 'webhook-worker'] as const
    await Promise.all(names.map((name) => refused(name, {}, reason)))
  })
})

test('all five work when all is right again', async () => {
  await serveWith({})
  const names = ['ingest', 'projector', 'api', 'stream-gateway', 'webhook-worker'] as const
  const services = await Promise.all(names.map((name) => world.start(name)))
  for (const service of services) {
    await eventually('the service is ready', async () => (await readiness(service)).status === 200)
  }
  await Promise.all(services.map(end))
})

test('no secret is in any of these outputs', () => {
  expect(outputs.length).toBeGreaterThan(20)
  const text = outputs.join('\n')
  const secrets = { ...world.secrets, 'wrong password': WRONG, 'wrong password in a URL': encodeURIComponent(WRONG) }
  expect(Object.entries(secrets).filter(([, secret]) => text.includes(secret))).toEqual([])
})

const WRONG = 'wr@ng:/password'

function withPassword(mechanism: string) {
  return () => ({
    KAFKA_SASL_MECHANISM: mechanism,
    KAFKA_SASL_PASSWORD_FILE: world.file('wrong-password', WRONG),
  })
}

function withoutLogin() {
  return { KAFKA_SASL_MECHANISM: '', KAFKA_SASL_USER: '', KAFKA_SASL_PASSWORD_FILE: '' }
}

function wrongDatabasePassword() {
  return { DATABASE_URL_FILE: world.file('wrong-database-url', withWrongPassword(world.stack.addresses.postgres)) }
}

function wrongRedisPassword() {
  return { REDIS_URL_FILE: world.file('wrong-redis-url', withWrongPassword(world.stack.addresses.redis)) }
}

function withWrongPassword(address: string): string {
  const url = new URL(address)
  url.password = encodeURIComponent(WRONG)
  return url.href
}

async function serveWith(options: object): Promise<void> {
  world.serveWith(world.authority.issue(options))
  const { kafka, postgres, redis } = world.stack
  await Promise.all([kafka?.restart(), postgres?.restart(), redis?.restart()])
}

/** Starts the service; it must live, not be ready, and give the reason in its log and at `/readyz`. */
async function refused(name: ServiceProcessName, env: Record<string, string>, reason: RegExp): Promise<void> {
  const service = await world.start(name, env)
  try {
    const body = await eventually('the reason is in /readyz', async () => {
      const { status, text } = await readiness(service)
      if (!reason.test(text)) throw new Error(`/readyz says ${status} ${text}\n${service.output()}`)
      return { status, text }
    })
    outputs.push(body.text)
    expect(body.status).toBe(503)
    await eventually('the reason is in the output', () => reason.test(service.output()))
  } finally {
    await end(service)
  }
}

async function readiness(service: ServiceProcess): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${service.url}/readyz`)
  return { status: response.status, text: await response.text() }
}

async function end(service: ServiceProcess): Promise<void> {
  service.kill('SIGTERM')
  await service.exited
  outputs.push(service.output())
}
