import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, expect, test } from '@jest/globals'
import { newEventId, newTypeId, typeIdToUuid } from '@ariftly/events'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { makeJobSlice } from '@ariftly/store'
import { deriveDeliveryId } from './matching/delivery-id.ts'
import { LIST_SETTINGS } from '@ariftly/store/events'
import { listSealedWebhooks } from './commands/list-sealed-webhooks.ts'
import { createTestDatabase, insertSampleWebhook } from '@ariftly/testkit'
import { webhookAad } from '@ariftly/webhook-sending'
import { redeliveryJobs } from './replaying/redelivery-slice.ts'

const SECRET = 'the-secret-of-the-operator-test'
const [OLD, NEW] = [generateEncryptionKey('old'), generateEncryptionKey('new')]

const database = await createTestDatabase()
const pool = database.openPool({ owner: true })

afterAll(() => database.drop())

test('drain makes all that a webhook has pending due, and lets a failing endpoint be probed', async () => {
  const [drained, other] = [await newWebhook('drained'), await newWebhook('drained')]
  for (const webhook of [drained, drained, other]) await newDelivery(webhook, `now() + interval '1 h'`)
  await pool.query(
    `UPDATE webhook_endpoints SET next_probe_at = now() + interval '4 min', probe_delay_ms = 300000 WHERE webhook_id = $1`,
    [typeIdToUuid('whk', drained)],
  )
  expect(await cli('drain', drained)).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(`the pending deliveries of ${drained} become due; the endpoint is failing`),
  })
  const redeliveries = database.openPool({ settings: LIST_SETTINGS })
  const slices = redeliveryJobs({ pool: redeliveries, onRedelivered() {} })
  for (let due = true; due; due = (await makeJobSlice(slices)) !== undefined);
  const { rows } = await pool.query<{ webhook_id: string; due: boolean }>(
    `SELECT d.webhook_id, d.due_at <= now() AND coalesce(e.next_probe_at <= now(), true) AS due
       FROM deliveries d JOIN webhook_endpoints e USING (webhook_id) WHERE d.tenant_id = 'drained'`,
  )
  const due = rows.filter((row) => row.due).map((row) => row.webhook_id)
  expect(due).toEqual([typeIdToUuid('whk', drained), typeIdToUuid('whk', drained)])
})

test('disable stops a webhook as its owner would', async () => {
  const webhook = await newWebhook('disabled')
  expect(await cli('disable', webhook)).toMatchObject({ code: 0, stdout: `${webhook} is disabled\n` })
  expect(await cli('disable', webhook)).toMatchObject({ code: 0, stdout: `${webhook} was disabled already\n` })
  const { rows } = await pool.query('SELECT enabled, disabled_reason FROM webhooks WHERE id = $1', [
    typeIdToUuid('whk', webhook),
  ])
  expect(rows).toEqual([{ enabled: false, disabled_reason: 'manual' }])
})

test('re-encrypt seals everything with the first key, shows no secret, and says what no key opens', async () => {
  await pool.query('TRUNCATE webhooks CASCADE')
  const webhooks = [await newWebhook('sealed', true), await newWebhook('sealed')]
  expect(await cli('re-encrypt')).toMatchObject({ code: 0, stdout: '2 webhooks sealed with key new, 0 were already\n' })
  expect(await cli('re-encrypt')).toMatchObject({ code: 0, stdout: '0 webhooks sealed with key new, 2 were already\n' })
  const alone = createKeyring(NEW)
  const sealed = await listSealedWebhooks(pool, { afterId: undefined, limit: 10 })
  expect(sealed.map(({ id }) => id)).toEqual(webhooks)
  for (const { id, secret, previousSecret, headers } of sealed) {
    const aad = webhookAad('sealed', id)
    expect(alone.open(secret, aad)?.toString()).toBe(SECRET)
    expect(previousSecret === null || alone.open(previousSecret, aad)?.toString() === `${SECRET}-before`).toBe(true)
    expect(headers === null || alone.open(headers, aad)?.toString() === '{"X-Own":"mine"}').toBe(true)
  }
  expect(sealed[0]?.previousSecret).not.toBeNull()
  const strange = await newWebhook('sealed')
  await pool.query('UPDATE webhooks SET secret = $2 WHERE id = $1', [
    typeIdToUuid('whk', strange),
    createKeyring(generateEncryptionKey('lost')).seal(Buffer.from(SECRET), 'x'),
  ])
  const refused = await cli('re-encrypt')
  expect(refused.code).toBe(1)
  expect(refused.stdout).toContain(`${strange} of tenant sealed cannot be opened`)
  expect(JSON.stringify(refused)).not.toContain(SECRET)
})

test.each([
  [[], 64],
  [['unknown'], 64],
  [['drain'], 64],
  [['re-encrypt', newTypeId('whk')], 64],
  [['drain', 'whk_1'], 64],
  [['drain', newTypeId('whk')], 1],
])('refuses %j with exit code %i', async (args, code) => {
  expect(await cli(...args)).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(/./) })
})

async function newWebhook(tenant: string, rotated = false): Promise<string> {
  const id = newTypeId('whk')
  const keyring = createKeyring(OLD)
  const aad = webhookAad(tenant, id)
  const seal = (text: string) => keyring.seal(Buffer.from(text), aad)
  const headers = rotated ? { headerNames: ['X-Own'], headers: seal('{"X-Own":"mine"}') } : {}
  await insertSampleWebhook(pool, { id, tenant, secret: seal(SECRET), ...headers })
  if (rotated) {
    await pool.query(
      `UPDATE webhooks SET previous_secret = $2, previous_secret_until = now() + interval '1 h' WHERE id = $1`,
      [typeIdToUuid('whk', id), seal(`${SECRET}-before`)],
    )
  }
  return id
}

async function newDelivery(webhookId: string, due: string): Promise<void> {
  const eventId = newEventId(Date.now())
  const id = deriveDeliveryId({ appendedAtMs: Date.now(), webhookId, eventId })
  await pool.query(
    `INSERT INTO deliveries (id, tenant_id, webhook_id, event_id, event_type, epoch, partition, "offset", due_at)
     SELECT $1, tenant_id, id, $2, 'task.created', 1, 0, 0, ${due} FROM webhooks WHERE id = $3`,
    [typeIdToUuid('dlv', id), typeIdToUuid('evt', eventId), typeIdToUuid('whk', webhookId)],
  )
}

/** Runs the command as an operator does, as a process. */
function cli(...args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const file = join(import.meta.dirname, 'cli.ts')
  const env = { PATH: process.env['PATH'], DATABASE_URL: database.url, ENCRYPTION_KEYS: `${NEW},${OLD}` }
  return new Promise((resolve) => {
    const node = ['--conditions=source', '--import', 'tsx', file, ...args]
    execFile(process.execPath, node, { env }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr })
    })
  })
}
