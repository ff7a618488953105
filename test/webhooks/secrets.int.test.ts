import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { typeIdToUuid } from '@ariftly/events'
import { startReceiver, type Receiver, type ServiceProcess } from '@ariftly/testkit'
import { createWorkerWorld, SECRET, type WorkerWorld } from './worker-world.ts'

/** In the payload of every event of these tests. */
const PAYLOAD = 'Größe 1.0'
const HEADER_VALUE = '"mine"'

let fixture: WorkerWorld
let worker: ServiceProcess
let receiver: Receiver
let monitor: Socket
let commands = ''

beforeAll(async () => {
  fixture = await createWorkerWorld({ LOG_LEVEL: 'debug', WEBHOOK_RETRY_SCHEDULE_S: '0' })
  receiver = await startReceiver()
  const redis = new URL(fixture.world.env['REDIS_URL'] ?? '')
  monitor = connect(Number(redis.port), redis.hostname)
  monitor.setEncoding('utf8').on('data', (text: string) => (commands += text))
  monitor.write('MONITOR\r\n')
  await once(monitor, 'data')
  worker = await fixture.startProcess()
})
afterAll(async () => {
  monitor?.destroy()
  await fixture?.close()
  await receiver?.close()
})

test('no secret, header value or payload gets into logs, metrics, attempts, errors or Redis', async () => {
  const delivered = await fixture.subscribe({ tenant: 'secret', url: receiver.url })
  const failing = await fixture.subscribe({ tenant: 'secret', url: `${receiver.url}/fails` })
  const refused = await fixture.subscribe({ tenant: 'secret', url: 'http://127.0.0.1:1/' })
  const unreadable = await fixture.subscribe({ tenant: 'secret', url: receiver.url })
  const foreign = createKeyring(generateEncryptionKey('foreign')).seal(Buffer.from(SECRET), 'x')
  await fixture.world.admin.query('UPDATE webhooks SET secret = $2 WHERE id = $1', [uuid(unreadable), foreign])
  receiver.respondWith(({ path }) => ({ status: path.endsWith('/fails') ? 500 : 200 }))
  await fixture.post('secret', 3)
  await fixture.reaches(delivered, { delivered: 3 })
  for (const webhook of [failing, refused, unreadable]) {
    await fixture.reaches(webhook, { failed: 3 })
  }
  const metrics = await (await fetch(`${worker.url}/metrics`)).text()
  worker.kill('SIGTERM')
  expect(await worker.exited).toBe(0)

  const { rows } = await fixture.world.admin.query('SELECT row_to_json(attempts)::text AS attempt FROM attempts')
  const outputs = { logs: worker.output(), metrics, redis: commands, attempts: JSON.stringify(rows) }
  const keys = (fixture.world.env['ENCRYPTION_KEYS'] ?? '').split(',').map((key) => key.slice(key.indexOf(':') + 1))
  for (const [place, text] of Object.entries(outputs)) {
    for (const secret of [SECRET, HEADER_VALUE, PAYLOAD, Buffer.from(PAYLOAD).toString('latin1'), ...keys]) {
      expect([place, secret, text.includes(secret)]).toEqual([place, secret, false])
    }
  }
  // The outputs were read while in use.
  expect(outputs.logs).toContain('attempt made')
  expect(outputs.logs).toContain('cannot be signed')
  expect(outputs.redis).toMatch(/"evalsha".*webhooks-healthy/)
  expect(outputs.metrics).toContain('ariftly_webhook_attempts_total')
  expect(receiver.requests[0]?.headers['x-own']).toBe('mine')
}, 240_000)

function uuid(webhook: string): string {
  return typeIdToUuid('whk', webhook)
}
