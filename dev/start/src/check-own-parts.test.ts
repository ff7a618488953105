import { expect, test } from '@jest/globals'
import { checkOwnParts } from './check-own-parts.ts'

test('TLS and logins for a server that is started here are refused, all of them together', () => {
  const env = { KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'plain', DATABASE_TLS: 'true', KAFKA_BROKERS: '' }
  expect(() => checkOwnParts(env)).toThrow(
    /KAFKA_TLS is for .*KAFKA_BROKERS is missing(.|\n)*KAFKA_SASL_MECHANISM is for(.|\n)*DATABASE_TLS is for .*DATABASE_URL or/,
  )
})

test.each([
  {},
  { KAFKA_TLS: 'false' },
  { KAFKA_TLS: 'true', KAFKA_SASL_MECHANISM: 'plain', KAFKA_BROKERS: 'kafka:9093' },
  { DATABASE_TLS: 'true', DATABASE_URL_FILE: '/run/secrets/database' },
])('settings of given servers, and no settings, are accepted: %j', (env) => {
  expect(() => checkOwnParts(env)).not.toThrow()
})
