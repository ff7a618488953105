import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { StackTls } from '@ariftly/local-stack'
import { createTestAuthority, type TestAuthority, type TestCertificate } from './certificates.ts'

/** Settings of a stack that speaks TLS alone, and of its clients. */
export interface TestTls {
  /** For `startStack`. */
  readonly stack: StackTls
  /** Settings of services without the addresses, which have users and passwords in them. */
  readonly env: Readonly<Record<string, string>>
  readonly authority: TestAuthority
  /** Gives the servers another certificate; counts for a part after its restart. */
  readonly serveWith: (certificate: TestCertificate) => void
  /** Writes a file into the folder of all these, and gives its path. */
  readonly file: (name: string, text: string) => string
  /** Removes the folder. */
  close(): void
}

/** Settings that its clients need in addition to the password. */
export interface TestTlsOptions {
  /** Every client must show a certificate of the authority. */
  readonly mutual?: boolean
  readonly kafkaLoginMs?: number
  /** Kafka also takes unsigned tokens. */
  readonly kafkaTokens?: boolean
}

const USER = 'agent'

/** Makes an authority, a certificate for 127.0.0.1 and passwords. */
export function createTestTls(options: TestTlsOptions = {}): TestTls {
  const folder = mkdtempSync(join(tmpdir(), 'ariftly-tls-'))
  const path = (name: string) => join(folder, name)
  const authority = createTestAuthority()

  function file(name: string, text: string): string {
    writeFileSync(path(name), text, { mode: 0o600 })
    return path(name)
  }

  function serveWith({ cert, key }: TestCertificate): void {
    file('server.pem', cert)
    file('server-key.pem', key)
  }

  serveWith(authority.issue())
  const ca = file('ca.pem', authority.cert)
  // Characters that mean something in a URL.
  const passwords = { kafka: secret('kf'), postgres: secret('p@:/%25g'), redis: secret('r@:/d') }
  return {
    stack: {
      certFile: path('server.pem'),
      keyFile: path('server-key.pem'),
      ...(options.mutual === true ? { clientCaFile: ca } : {}),
      user: USER,
      passwords,
      ...(options.kafkaTokens === true ? { kafkaTokens: true } : {}),
      ...(options.kafkaLoginMs === undefined ? {} : { kafkaLoginMs: options.kafkaLoginMs }),
    },
    env: {
      KAFKA_TLS: 'true',
      KAFKA_TLS_CA_FILE: ca,
      KAFKA_SASL_MECHANISM: 'scram-sha-512',
      KAFKA_SASL_USER: USER,
      KAFKA_SASL_PASSWORD_FILE: file('kafka-password', `${passwords.kafka}\n`),
      DATABASE_TLS: 'true',
      DATABASE_TLS_CA_FILE: ca,
      REDIS_TLS_CA_FILE: ca,
    },
    authority,
    serveWith,
    file,
    close: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function secret(prefix: string): string {
  return `${prefix}${randomBytes(18).toString('base64url')}`
}
