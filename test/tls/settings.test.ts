import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { afterAll, describe, expect, test } from '@jest/globals'
import {
  ConfigFault,
  databaseConfig,
  databaseConnection,
  kafkaConfig,
  kafkaConnection,
  readConfig,
  redisConfig,
  redisConnection,
  settings,
  type ConfigSpec,
} from '@ariftly/runtime'
import { createTestAuthority } from '@ariftly/testkit'

const folder = mkdtempSync(join(tmpdir(), 'tls-settings-'))
const authority = createTestAuthority()
const [mine, other] = [authority.issue(), authority.issue()]
const CA = file('ca.pem', authority.cert)
const CERT = file('cert.pem', mine.cert)
const KEY = file('key.pem', mine.key)
const OTHER_KEY = file('other-key.pem', other.key)
const NOTHING = file('nothing.pem', 'no certificate at all')
const BROKEN = file('broken.pem', mine.cert.replace(/^M/m, 'X'))
const ABSENT = join(folder, 'absent.pem')

const BROKERS = { KAFKA_BROKERS: 'kafka:9093' }
const POSTGRES = { DATABASE_URL: 'postgres://u:hunter2@db/ariftly' }
const REDIS = { REDIS_URL: 'rediss://u:hunter2@redis:6380' }
const LOGIN = { KAFKA_SASL_MECHANISM: 'scram-sha-512', KAFKA_SASL_USER: 'u', KAFKA_SASL_PASSWORD: 'hunter2' }

afterAll(() => rmSync(folder, { recursive: true }))

describe('settings of encrypted connections', () => {
  test.each<[string, ConfigSpec, Record<string, string>, string[]]>([
    ['files without TLS', kafkaConfig, { ...BROKERS, KAFKA_TLS_CA_FILE: CA }, ['KAFKA_TLS_CA_FILE counts only with']],
    [
      'files without rediss',
      redisConfig,
      { REDIS_URL: 'redis://r', REDIS_TLS_CA_FILE: CA },
      ['REDIS_TLS_CA_FILE counts'],
    ],
    [
      'files that cannot be read',
      databaseConfig,
      { ...POSTGRES, DATABASE_TLS: 'true', DATABASE_TLS_CA_FILE: ABSENT },
      ['DATABASE_TLS_CA_FILE names a file that cannot be used as certificates'],
    ],
    [
      'files that hold something else',
      databaseConfig,
      { ...POSTGRES, DATABASE_TLS: 'true', DATABASE_TLS_CA_FILE: NOTHING },
      ['DATABASE_TLS_CA_FILE names a file without a PEM certificate'],
    ],
    [
      'certificates that cannot be parsed',
      kafkaConfig,
      { ...BROKERS, KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: BROKEN },
      ['KAFKA_TLS_CA_FILE names a file that cannot be used as certificates'],
    ],
    [
      'a key that does not belong to the certificate',
      kafkaConfig,
      { ...BROKERS, KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: CERT, KAFKA_TLS_KEY_FILE: OTHER_KEY },
      [`KAFKA_TLS_KEY_FILE names a key that does not belong to the certificate in ${CERT}`],
    ],
    [
      'a certificate in place of a key, a certificate without a key, and the other way round',
      { ...kafkaConfig, ...databaseConfig, ...redisConfig },
      {
        ...BROKERS,
        KAFKA_TLS: 'true',
        KAFKA_TLS_CERT_FILE: CERT,
        KAFKA_TLS_KEY_FILE: CERT,
        ...POSTGRES,
        DATABASE_TLS: 'true',
        DATABASE_TLS_CERT_FILE: CERT,
        ...REDIS,
        REDIS_TLS_KEY_FILE: KEY,
      },
      [
        'KAFKA_TLS_KEY_FILE names a file that cannot be used as a private key',
        'DATABASE_TLS_CERT_FILE needs DATABASE_TLS_KEY_FILE',
        'REDIS_TLS_KEY_FILE needs REDIS_TLS_CERT_FILE',
      ],
    ],
    [
      'SASL without a user',
      kafkaConfig,
      { ...BROKERS, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PASSWORD: 'hunter2' },
      ['KAFKA_SASL_MECHANISM needs KAFKA_SASL_USER'],
    ],
    [
      'a user and a password without SASL',
      kafkaConfig,
      { ...BROKERS, ...LOGIN, KAFKA_SASL_MECHANISM: '' },
      ['KAFKA_SASL_USER counts only', 'KAFKA_SASL_PASSWORD counts only'],
    ],
    [
      'SASL plain in the clear',
      kafkaConfig,
      { ...BROKERS, ...LOGIN, KAFKA_SASL_MECHANISM: 'plain' },
      ['KAFKA_SASL_MECHANISM is plain without KAFKA_TLS=true'],
    ],
    [
      'an unknown mechanism and a file that cannot be read',
      kafkaConfig,
      { ...BROKERS, ...LOGIN, KAFKA_SASL_MECHANISM: 'gssapi', KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: ABSENT },
      ['KAFKA_SASL_MECHANISM must be one of', 'KAFKA_TLS_CA_FILE names a file'],
    ],
    [
      "TLS by the URL's parameters, which pg reads in its own way",
      { ...databaseConfig, DATABASE_ADMIN_URL: settings.DATABASE_ADMIN_URL },
      {
        DATABASE_URL: `${POSTGRES.DATABASE_URL}?sslmode=no-verify`,
        DATABASE_ADMIN_URL: `${POSTGRES.DATABASE_URL}?application_name=x&sslrootcert=${CA}&ssl=true`,
      },
      ['DATABASE_URL has sslmode in the URL', 'DATABASE_ADMIN_URL has sslrootcert, ssl in the URL'],
    ],
  ])('refuse %s', (_what, spec, env, begins) => {
    const faults = faultsOf(spec, env)
    expect(faults).toEqual(begins.map((begin) => expect.stringContaining(begin)))
    expect(faults.join()).not.toMatch(/hunter2|BEGIN/)
  })

  test('accept SASL plain without TLS when that is set, and scram always', () => {
    const plain = { ...BROKERS, ...LOGIN, KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_PLAIN_WITHOUT_TLS: 'true' }
    expect(kafkaConnection(readConfig(kafkaConfig, plain))).toEqual({
      brokers: ['kafka:9093'],
      sasl: { mechanism: 'plain', user: 'u', password: 'hunter2' },
    })
    expect(kafkaConnection(readConfig(kafkaConfig, { ...BROKERS, ...LOGIN })).sasl?.mechanism).toBe('scram-sha-512')
  })

  test('say nothing of TLS when none is set, and of no authority when Node’s are meant', () => {
    expect(kafkaConnection(readConfig(kafkaConfig, BROKERS))).toEqual({ brokers: ['kafka:9093'] })
    expect(databaseConnection(readConfig(databaseConfig, POSTGRES))).toEqual({ url: POSTGRES.DATABASE_URL })
    const redis = redisConnection(readConfig(redisConfig, { REDIS_URL: 'redis://r' }))
    expect(redis).toMatchObject({ url: 'redis://r', mode: 'single' })
    expect(redis).not.toHaveProperty('tls')
    expect(redisConnection(readConfig(redisConfig, REDIS)).tls?.secureContext).toBeDefined()
    expect(databaseConnection(readConfig(databaseConfig, { ...POSTGRES, DATABASE_TLS: 'true' })).tls).toBeDefined()
  })
})

describe('the TLS of a client', () => {
  const env = { ...BROKERS, KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: CA }

  test('verifies authority and name, and not the name when that is set', async () => {
    const server = await startServer(authority.issue({ names: ['kafka.example'] }))
    const handshake = (more: Record<string, string>) => handshakeWith(server.port, { ...env, ...more })
    await expect(handshake({})).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    await expect(handshake({ KAFKA_TLS_CHECK_NAME: 'false' })).resolves.toBe(true)
    const foreign = file('foreign.pem', createTestAuthority('Another CA').cert)
    await expect(handshake({ KAFKA_TLS_CHECK_NAME: 'false', KAFKA_TLS_CA_FILE: foreign })).rejects.toMatchObject({
      code: expect.stringMatching(/UNABLE_TO_VERIFY|SELF_SIGNED/),
    })
    await server.close()
  })

  test('reads renewed files at the next connect, and keeps the previous ones while they cannot be read', async () => {
    const next = createTestAuthority('Next CA')
    const [first, second] = [await startServer(authority.issue()), await startServer(next.issue())]
    const ca = file('renewed.pem', authority.cert)
    const { tls } = kafkaConnection(readConfig(kafkaConfig, { ...env, KAFKA_TLS_CA_FILE: ca }))
    await expect(handshakeBy(tls, first.port)).resolves.toBe(true)
    await expect(handshakeBy(tls, second.port)).rejects.toMatchObject({ code: expect.any(String) })
    rmSync(ca)
    await expect(handshakeBy(tls, first.port)).resolves.toBe(true)
    file('renewed.pem', next.cert)
    await expect(handshakeBy(tls, second.port)).resolves.toBe(true)
    await expect(handshakeBy(tls, first.port)).rejects.toMatchObject({ code: expect.any(String) })
    await Promise.all([first.close(), second.close()])
  })
})

function file(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

function faultsOf(spec: ConfigSpec, env: Record<string, string>): readonly string[] {
  try {
    readConfig(spec, env)
  } catch (error) {
    if (error instanceof ConfigFault) return error.faults
    throw error
  }
  return []
}

async function startServer(certificate: { readonly cert: string; readonly key: string }) {
  const server = createServer(certificate, (socket) => socket.on('error', () => {}).end())
  server.on('tlsClientError', () => {})
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}

function handshakeWith(port: number, env: Record<string, string>): Promise<boolean> {
  return handshakeBy(kafkaConnection(readConfig(kafkaConfig, env)).tls, port)
}

async function handshakeBy(tls: object | undefined, port: number): Promise<boolean> {
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ...tls })
  try {
    await once(socket, 'secureConnect')
    return socket.authorized
  } finally {
    socket.destroy()
  }
}
