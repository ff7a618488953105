import { generateSecret, signWebhook, verify } from '@ariftly/signatures'
import { describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { sign, unwrap, WebhookVerificationError } from './index.ts'

const id = 'evt_01m88y3fz3eeksq399rkr6wnx3'
const body = `{"object":"event","id":"${id}","type":"task.progress","created_at":"2026-11-25T08:45:37.123Z","task_id":"t","agent":null,"session_id":null,"data":{"task_id":"t","message":"Größe","n":1.0}}`
const bytes = Buffer.from(body)
const nowS = Math.floor(Date.now() / 1000)
const WHSEC = generateSecret()
const OTHER = generateSecret()
const FREE = 'your-signing-secret'
const serverHeaders = (secrets: readonly string[], timestampS = nowS) =>
  signWebhook({ id, timestampS, body: bytes, secrets })

describe('unwrap', () => {
  test.each([WHSEC, FREE])(
    'gives the event of what the server signs, from text, bytes and fetch headers (%#)',
    async (secret) => {
      const headers = { ...serverHeaders([secret]), 'x-ariftly-webhook-id': 'whk_1' }
      const upper = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toUpperCase(), value]))
      for (const given of [headers, upper, new Headers(headers)]) {
        const delivered = await unwrap(bytes, given, [OTHER, secret])
        expect(delivered).toMatchObject({ id, webhookId: 'whk_1', event: { id, type: 'task.progress' } })
        expect(delivered.rawData).toBe('{"task_id":"t","message":"Größe","n":1.0}')
        expect((await unwrap(body, given, secret)).event).toEqual(JSON.parse(body))
      }
    },
  )

  test('takes X-Ariftly-Signature alone', async () => {
    const { 'x-ariftly-signature': signature } = serverHeaders([WHSEC])
    expect((await unwrap(bytes, { 'x-ariftly-signature': signature }, WHSEC)).id).toBe(id)
    await expect(unwrap(bytes, { 'x-ariftly-signature': signature }, OTHER)).rejects.toMatchObject({ code: 'no_match' })
  })

  test('takes both secrets while one is rotated', async () => {
    const headers = serverHeaders([WHSEC, OTHER])
    for (const secret of [WHSEC, OTHER]) expect((await unwrap(bytes, headers, secret)).id).toBe(id)
  })

  test.each([
    ['a flipped byte', { payload: body.replace('1.0', '1.1') }, 'no_match'],
    ['another secret', { secret: OTHER }, 'no_match'],
    ['an old signature', { headers: serverHeaders([WHSEC], nowS - 400) }, 'timestamp_out_of_range'],
    ['a signature of the future', { headers: serverHeaders([WHSEC], nowS + 400) }, 'timestamp_out_of_range'],
    ['a timestamp that is no number', { more: { 'webhook-timestamp': '1e3' } }, 'missing_header'],
    ['another timestamp', { more: { 'webhook-timestamp': String(nowS - 1) } }, 'no_match'],
    ['another id', { more: { 'webhook-id': 'evt_other' } }, 'no_match'],
    ['no signature', { headers: {} }, 'missing_header'],
  ])('refuses %s', async (_, changed: Changes, code) => {
    const { payload = body, secret = WHSEC, headers = serverHeaders([WHSEC]), more = {} } = changed
    const failure = await unwrap(payload, { ...headers, ...more }, secret).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(WebhookVerificationError)
    expect(failure).toMatchObject({ code })
  })

  test('a parsed body is refused with a message that names express.json()', async () => {
    const parsed = JSON.parse(body) as string
    await expect(unwrap(parsed, serverHeaders([WHSEC]), WHSEC)).rejects.toThrow('express.json()')
  })

  test('no secret, or an empty one, is a mistake of the program and verifies nothing', async () => {
    for (const secrets of ['', [], [WHSEC, '']]) {
      await expect(unwrap(body, serverHeaders([WHSEC]), secrets)).rejects.toBeInstanceOf(TypeError)
    }
  })
})

interface Changes {
  readonly payload?: string
  readonly secret?: string
  readonly headers?: Record<string, string>
  readonly more?: Record<string, string>
}

test('what sign signs is verified by the server, by standardwebhooks and by unwrap', async () => {
  const headers = await sign({ body, secrets: [WHSEC, OTHER] })
  expect(verify(bytes, headers, WHSEC).ok).toBe(true)
  expect(new Webhook(OTHER).verify(body, headers)).toEqual(JSON.parse(body))
  expect(headers).toMatchObject(serverHeaders([WHSEC, OTHER], Number(headers['webhook-timestamp'])))
  expect((await unwrap(body, headers, OTHER)).id).toBe(id)
})
