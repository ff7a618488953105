import { createHmac } from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { seenByWebhook, type Subscription } from './webhooks.ts'

const SECRET = 'secret of the test !'
const ID = 'evt_01m88y3fz3eeksq399rkr6wnx3'
const BODY = `{"object":"event","id":"${ID}","data":{"task_id":"t"}}`
const subscription: Subscription = { id: 'whk_1', name: 'w', tenant: 'north', wanted: {}, secret: SECRET }

/** A request sent at `sentMs` and received at `atMs`. */
function received(o: { readonly sentMs: number; readonly atMs: number; readonly body?: string }) {
  const sentAt = new Date(o.sentMs)
  const headers = {
    'x-ariftly-webhook-id': 'whk_1',
    'x-ariftly-signature': `sha256=${createHmac('sha256', SECRET).update(BODY).digest('hex')}`,
    'webhook-id': ID,
    'webhook-timestamp': String(Math.floor(o.sentMs / 1000)),
    'webhook-signature': new Webhook(SECRET, { format: 'raw' }).sign(ID, sentAt, BODY),
  }
  const [seen] = seenByWebhook([subscription], [{ headers, body: Buffer.from(o.body ?? BODY), atMs: o.atMs }])
  return seen?.received[0]
}

describe('seenByWebhook', () => {
  test('verifies as of the arrival, however long ago that was', () => {
    const longAgoMs = Date.now() - 3_600_000
    expect(received({ sentMs: longAgoMs, atMs: longAgoMs + 20 })).toMatchObject({ eventId: ID, verified: true })
  })

  test('takes no request whose timestamp is minutes off, and none whose body was changed', () => {
    const nowMs = Date.now()
    expect(received({ sentMs: nowMs - 301_000, atMs: nowMs })).toMatchObject({ verified: false })
    expect(received({ sentMs: nowMs, atMs: nowMs, body: BODY.replace('"t"', '"u"') })).toMatchObject({
      verified: false,
    })
  })
})
