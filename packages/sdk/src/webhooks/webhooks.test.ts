import { generateSecret, signWebhook } from '@ariftly/signatures'
import { describe, expect, test } from '@jest/globals'
import { Webhook } from 'standardwebhooks'
import { Ariftly } from '../index.ts'
import { explain, sign, unwrap, WebhookVerificationError } from './index.ts'

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

  test('a delivery without its webhook-* headers is refused, as it could be replayed at any time, unless allowUntimed is set', async () => {
    const { 'x-ariftly-signature': signature } = serverHeaders([WHSEC], nowS - 30 * 86_400)
    const stripped = { 'x-ariftly-signature': signature }
    await expect(unwrap(bytes, stripped, WHSEC)).rejects.toMatchObject({
      code: 'missing_header',
      message: expect.stringContaining('allowUntimed'),
    })
    const options = { allowUntimed: true }
    expect((await unwrap(bytes, stripped, WHSEC, options)).id).toBe(id)
    await expect(unwrap(bytes, stripped, OTHER, options)).rejects.toMatchObject({ code: 'no_match' })
  })

  test('allowUntimed does not excuse webhook-* headers that are old or do not fit', async () => {
    const options = { allowUntimed: true }
    const old = serverHeaders([WHSEC], nowS - 400)
    await expect(unwrap(bytes, old, WHSEC, options)).rejects.toMatchObject({ code: 'timestamp_out_of_range' })
    const forged = { ...serverHeaders([WHSEC]), 'webhook-signature': 'v1,x' }
    await expect(unwrap(bytes, forged, WHSEC, options)).rejects.toMatchObject({ code: 'no_match' })
  })

  test('is a method of the client too', async () => {
    const client = new Ariftly({ baseUrl: 'http://127.0.0.1:1', apiKey: 'key' })
    const headers = serverHeaders([WHSEC])
    expect((await client.webhooks.unwrap(bytes, headers, WHSEC)).event.id).toBe(id)
    await expect(client.webhooks.unwrap(bytes, headers, OTHER)).rejects.toMatchObject({ code: 'no_match' })
    await client.close()
  })

  test.each([[undefined], [[undefined]], [['']], [[]], ['']])('says that a secret is missing: %j', async (secrets) => {
    await expect(unwrap(bytes, serverHeaders([WHSEC]), secrets as never)).rejects.toThrow('A secret is needed')
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
    ['a secret that is no key', { secret: 'whsec_not base64' }, 'invalid_secret'],
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

const resultsOf = async (headers: Record<string, string>, secrets: string | string[]) =>
  (await explain(body, headers, secrets)).map(({ signature, check, result }) => `${signature} ${check} ${result}`)

describe('explain', () => {
  test('all checks of a delivery that is right have passed', async () => {
    expect(await resultsOf(serverHeaders([WHSEC, OTHER]), [OTHER, WHSEC])).toEqual([
      'standard headers passed',
      'standard time passed',
      'standard secrets passed',
      'standard match passed',
      'untimed headers passed',
      'untimed match passed',
    ])
  })

  test('reports the result of every check, also after the first failure', async () => {
    const checks = await explain(`${body} `, serverHeaders([WHSEC], nowS - 400), [WHSEC, OTHER], { nowS })
    expect(checks).toEqual([
      { signature: 'standard', check: 'headers', result: 'passed', reason: 'all three are there' },
      {
        signature: 'standard',
        check: 'time',
        result: 'failed',
        reason: 'signed 400 s before now, 300 s are allowed: is the clock right?',
      },
      { signature: 'standard', check: 'secrets', result: 'passed', reason: '2 given' },
      {
        signature: 'standard',
        check: 'match',
        result: 'failed',
        reason: 'no signature fits the body under the 2 secrets',
      },
      { signature: 'untimed', check: 'headers', result: 'passed', reason: 'it is there' },
      {
        signature: 'untimed',
        check: 'match',
        result: 'failed',
        reason: 'no signature fits the body under the 2 secrets',
      },
    ])
  })

  test('what needs a missing header or an unusable secret is skipped', async () => {
    expect(await resultsOf({}, 'whsec_not base64')).toEqual([
      'standard headers failed',
      'standard time skipped',
      'standard secrets failed',
      'standard match skipped',
      'untimed headers failed',
      'untimed match skipped',
    ])
  })
})

interface Changes {
  readonly payload?: string
  readonly secret?: string
  readonly headers?: Record<string, string>
  readonly more?: Record<string, string>
}

test('sign signs as the server does, and standardwebhooks and unwrap verify it', async () => {
  const headers = await sign({ body, secrets: [WHSEC, OTHER] })
  expect(new Webhook(OTHER).verify(body, headers)).toEqual(JSON.parse(body))
  expect(headers).toMatchObject(serverHeaders([WHSEC, OTHER], Number(headers['webhook-timestamp'])))
  expect((await unwrap(body, headers, OTHER)).id).toBe(id)
})
