import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, test } from '@jest/globals'

const BAD_CONFIG = 78

const ENVIRONMENT = {
  KAFKA_BROKERS: '127.0.0.1:9',
  DATABASE_URL: 'postgres://u:p@127.0.0.1:9/none',
  REDIS_URL: 'redis://127.0.0.1:9',
  ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 1).toString('base64')}`,
}

describe('a bad setting stops the start, with every fault listed and nothing secret shown', () => {
  test.each([
    ['ingest', { PORT: 'eighty', KAFKA_BROKERS: '', DRAIN_MS: '-1' }],
    ['projector', { PORT: '99999', KAFKA_BROKERS: '', LOG_LEVEL: 'loud' }],
    ['projector', { DATABASE_TLS: 'require', KAFKA_SASL_MECHANISM: 'plain', KAFKA_TLS_CA_FILE: '/nowhere.pem' }],
    ['api', { PORT: '0x50', DATABASE_URL: '', ENCRYPTION_KEYS: 'short' }],
    ['stream-gateway', { PORT: '-1', DATABASE_URL: 'not-a-url', RING_BYTES_MAX: 'big' }],
    ['standalone', { KAFKA_BROKERS: '', DATABASE_URL: '', REDIS_URL: '' }],
    [
      'webhook-worker',
      { PORT: '1.5', REDIS_URL: 'http://x', WEBHOOK_ALLOW_HTTP: 'perhaps', WEBHOOK_ALLOW_CIDRS: '10/8' },
    ],
  ] as const)('%s', (service, faults) => {
    const main = join(import.meta.dirname, '../../services', service, 'dist/main.js')
    const ended = spawnSync(process.execPath, [main], {
      env: { PATH: process.env['PATH'] ?? '', ...ENVIRONMENT, ...faults },
      encoding: 'utf8',
      timeout: 60_000,
    })
    expect({ status: ended.status, stderr: ended.stderr }).toMatchObject({ status: BAD_CONFIG })
    for (const name of Object.keys(faults)) expect(ended.stderr).toMatch(new RegExp(`^- ${name} `, 'm'))
    expect(ended.stderr).not.toContain(ENVIRONMENT.ENCRYPTION_KEYS)
  })
})
