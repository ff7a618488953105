import { createKafka, createDeadLetterWriter, type KafkaClient } from '@ariftly/kafka'
import { generateEncryptionKey } from '@ariftly/keyring'
import { createPool } from '@ariftly/store'
import { seedBootstrapKey } from '@ariftly/store/api-keys'
import {
  createTestDatabase,
  createTestTopics,
  eventually,
  silentLog,
  stackAddresses,
  startKafkaProxy,
  type CuttingProxy,
  type TestDatabase,
  type TestTopics,
} from '@ariftly/testkit'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { startTestApi, type TestApi } from '../test-api.ts'

const ROOT = 'root-key-0123456789abcdef'
const LETTERS = 150

let database: TestDatabase
let topics: TestTopics
let kafka: KafkaClient
let proxy: CuttingProxy
let api: TestApi

beforeAll(async () => {
  ;[database, topics] = await Promise.all([createTestDatabase(), createTestTopics({ partitions: 2 })])
  const pool = createPool({ role: null, url: database.adminUrl, applicationName: 'test', max: 1 })
  await seedBootstrapKey(pool, ROOT)
  await pool.end()
  kafka = createKafka({ brokers: stackAddresses().kafka.split(','), clientId: 'test', log: silentLog })
  proxy = await startKafkaProxy(stackAddresses().kafka)
  api = await startTestApi(database.url, generateEncryptionKey('k1'), {
    KAFKA_BROKERS: `127.0.0.1:${proxy.port}`,
    KAFKA_DLQ_TOPIC: topics.dlqTopic,
  })
  const writer = createDeadLetterWriter(kafka, topics)
  const letters = Array.from({ length: LETTERS }, (_, offset) => ({
    record: { partition: 1, offset, timestampMs: 1, key: null, value: Buffer.from(`${offset}`), headers: {} },
    reason: offset % 10 === 0 ? 'unknown_type' : 'bad_attribute',
    detail: 'd',
  }))
  await writer.write(letters)
  await writer.close()
})
afterAll(async () => {
  await api?.close()
  await proxy?.close()
  await kafka?.close()
  await topics?.delete()
  await database?.drop()
})

const list = (query: string) => api.call('GET', `/v1/dead-letters${query}`, ROOT)

/** The offsets in the log of all pages. */
async function offsetsOf(filter: string): Promise<readonly number[]> {
  const offsets: number[] = []
  for (let cursor = ''; ;) {
    const { status, body } = await list(`?limit=40${filter}${cursor}`)
    expect(status).toBe(200)
    offsets.push(...(body.data ?? []).map(({ offset }) => Number(offset)))
    if (body['has_more'] !== true) return offsets
    cursor = `&cursor=${String(body['next_cursor'])}`
  }
}

describe('GET /v1/dead-letters', () => {
  test('leaves out dead letters of deleted tenants', async () => {
    const writer = createDeadLetterWriter(kafka, topics)
    const record = { partition: 1, offset: 1_000, timestampMs: 1, key: Buffer.from('removed/t'), value: null }
    await writer.write([{ record: { ...record, headers: {} }, reason: 'bad_attribute', detail: 'd' }])
    await writer.close()
    expect((await list('?limit=1')).body.data).toMatchObject([{ offset: '1000' }])
    const pool = createPool({ role: null, url: database.adminUrl, applicationName: 'test', max: 1 })
    await pool.query(`INSERT INTO tenants (id, state) VALUES ('removed', 'deleted')`)
    await pool.end()
    expect((await list('?limit=1')).body.data).toMatchObject([{ offset: String(LETTERS - 1) }])
  })

  test('lists newest first, in pages without gap or double, and by reason', async () => {
    const all = Array.from({ length: LETTERS }, (_, n) => LETTERS - 1 - n)
    expect(await offsetsOf('')).toEqual(all)
    expect(await offsetsOf('&reason=unknown_type')).toEqual(all.filter((offset) => offset % 10 === 0))
    const { body } = await list('?limit=1')
    expect(body.data).toMatchObject([
      { object: 'dead_letter', id: `0-${LETTERS - 1}`, reason: 'bad_attribute', partition: 1, value_preview: 'MTQ5' },
    ])
  })

  test('takes times, after inclusive and before exclusive', async () => {
    const [newest] = (await list('?limit=1')).body.data ?? []
    const at = encodeURIComponent(String(newest?.['at']))
    const since = await offsetsOf(`&after=${at}`)
    const before = await offsetsOf(`&before=${at}`)
    expect(since).toContain(LETTERS - 1)
    expect(before).not.toContain(LETTERS - 1)
    expect([...since, ...before]).toHaveLength(LETTERS)
  })

  test('refuses reasons that it does not know, cursors of other filters, and keys without the scope', async () => {
    expect(await list('?reason=bad_luck')).toMatchObject({ status: 400, body: { code: 'invalid_parameter' } })
    const { body } = await list('?limit=1')
    const cursor = String(body['next_cursor'])
    expect(await list(`?reason=unknown_type&cursor=${cursor}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid_cursor' },
    })
    const made = await api.call('POST', '/v1/api-keys', ROOT, { name: 'x', scopes: ['admin'], tenant: 'acme' })
    const refused = await api.call('GET', '/v1/dead-letters', made.body.key ?? '')
    expect(refused).toMatchObject({ status: 403, body: { code: 'missing_scope' } })
  })

  test('while Kafka is unavailable only this route answers 503, quickly, and it recovers without a restart', async () => {
    await proxy.refuse()
    const startedMs = performance.now()
    expect(await list('')).toMatchObject({ status: 503, body: { code: 'unavailable' } })
    expect(performance.now() - startedMs).toBeLessThan(15_000)
    expect((await api.call('GET', '/v1/tenants', ROOT)).status).toBe(200)
    expect(api.running.ready().ready).toBe(true)
    await proxy.accept()
    await eventually('dead letters are listed again', async () => (await list('')).status === 200)
    expect(await offsetsOf('')).toHaveLength(LETTERS)
  })
})
