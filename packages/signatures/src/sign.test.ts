import crypto from 'node:crypto'
import { describe, expect, test } from '@jest/globals'
import OpenAI from 'openai'
import { Webhook } from 'standardwebhooks'
import { Webhook as SvixWebhook } from 'svix'
import { checkSecret, generateSecret, signWebhook } from './index.ts'

// The function of the documentation, verbatim.
function verifyWebhook(payload: string, signature: string, secret: string) {
  const expected = crypto.createHmac('sha256', secret).update(payload).digest('hex')
  return `sha256=${expected}` === signature
}

const id = 'evt_01m88y3fz3eeksq399rkr6wnx3'
const body = Buffer.from('{"object":"event","data":{"task_id":"t","n":1.0,"text":"Größe"}}')
const nowS = Math.floor(Date.now() / 1000)
const WHSEC = generateSecret()
const OTHER = generateSecret()
const FREE = 'your-signing-secret'
const headersFor = (secrets: readonly string[]) => signWebhook({ id, timestampS: nowS, body, secrets })

describe('signWebhook', () => {
  test.each([FREE, WHSEC])('is verified by the documented function, which refuses a flipped byte (%#)', (secret) => {
    const signature = headersFor([secret])['x-ariftly-signature'] ?? ''
    expect(verifyWebhook(body.toString(), signature, secret)).toBe(true)
    expect(verifyWebhook(`${body.toString()} `, signature, secret)).toBe(false)
    expect(verifyWebhook(body.toString(), signature, `${secret}x`)).toBe(false)
  })

  test('is verified by the standardwebhooks package for whsec_ secrets', () => {
    const headers = headersFor([WHSEC])
    expect(new Webhook(WHSEC).verify(body, headers)).toEqual(JSON.parse(body.toString()))
    expect(() => new Webhook(OTHER).verify(body, headers)).toThrow('No matching signature')
    expect(() => new Webhook(WHSEC).verify(Buffer.from('{}'), headers)).toThrow('No matching signature')
  })

  test('is verified by the standardwebhooks package in raw format for free-form secrets', () => {
    const headers = headersFor([FREE])
    expect(() => new Webhook(FREE, { format: 'raw' }).verify(body, headers)).not.toThrow()
    expect(() => new Webhook('another-secret', { format: 'raw' }).verify(body, headers)).toThrow()
  })

  test('during a rotation webhook-signature has the signatures of both secrets, and X-Ariftly-Signature that of the old one', () => {
    const headers = headersFor([WHSEC, OTHER])
    expect(() => new Webhook(WHSEC).verify(body, headers)).not.toThrow()
    expect(() => new Webhook(OTHER).verify(body, headers)).not.toThrow()
    expect(verifyWebhook(body.toString(), headers['x-ariftly-signature'] ?? '', WHSEC)).toBe(true)
    expect(verifyWebhook(body.toString(), headers['x-ariftly-signature'] ?? '', OTHER)).toBe(false)
  })

  test('needs a secret', () => {
    expect(() => headersFor([])).toThrow(RangeError)
  })
})

/** The libraries that subscribers have already; each throws, or answers what it has read. */
const LIBRARIES: Readonly<
  Record<string, (payload: string, headers: Record<string, string>, secret: string) => unknown>
> = {
  standardwebhooks: (payload, headers, secret) => webhookOf(Webhook, secret).verify(payload, headers),
  svix: (payload, headers, secret) => webhookOf(SvixWebhook, secret).verify(payload, headers),
  // It decodes the text after whsec_ and uses any other secret unchanged, as we do.
  openai: (payload, headers, secret) => new OpenAI({ apiKey: 'none' }).webhooks.unwrap(payload, headers, secret),
}

function webhookOf<W>(Class: new (secret: string, options?: { format: 'raw' }) => W, secret: string): W {
  return secret.startsWith('whsec_') ? new Class(secret) : new Class(secret, { format: 'raw' })
}

describe.each(Object.keys(LIBRARIES))('the verifier of %s', (library) => {
  const text = body.toString()
  const read = async (payload: string, headers: Record<string, string>, secret: string) =>
    await LIBRARIES[library]?.(payload, headers, secret)

  test.each([
    ['a whsec_ secret', WHSEC, OTHER],
    ['a free-form secret', FREE, 'another-signing-secret'],
  ])('reads our requests under %s: before, during and after a rotation', async (_, before, after) => {
    const event: unknown = JSON.parse(text)
    expect(await read(text, headersFor([before]), before)).toEqual(event)
    const overlapping = headersFor([before, after])
    expect(await read(text, overlapping, before)).toEqual(event)
    expect(await read(text, overlapping, after)).toEqual(event)
    expect(await read(text, headersFor([after]), after)).toEqual(event)
    await expect(read(text, headersFor([after]), before)).rejects.toThrow()
  })

  test.each([WHSEC, FREE])('refuses a flipped byte, an old timestamp and another secret (%#)', async (secret) => {
    await expect(read(text.replace('1.0', '1.1'), headersFor([secret]), secret)).rejects.toThrow()
    const old = signWebhook({ id, timestampS: nowS - 600, body, secrets: [secret] })
    await expect(read(text, old, secret)).rejects.toThrow()
    await expect(read(text, headersFor([secret]), generateSecret())).rejects.toThrow()
  })
})

const base64 = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`

describe('checkSecret', () => {
  test.each([FREE, '12345678', 'x'.repeat(256), base64(24), base64(64), WHSEC])('takes %s', (secret) => {
    expect(checkSecret(secret)).toEqual({ ok: true })
  })

  test.each([
    ['1234567', 'length'],
    ['x'.repeat(257), 'length'],
    ['sécret-sécret', 'printable_ascii'],
    ['secret\nsecret', 'printable_ascii'],
    [base64(23), 'too_short'],
    ['whsec_not base64 at all!', 'base64'],
    [base64(25).replace(/=+$/, ''), 'base64'],
    ['whsec_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_', 'base64'],
  ])('refuses %j with %s', (secret, code) => {
    expect(checkSecret(secret)).toMatchObject({ ok: false, code })
  })

  test('accepts every secret that is generated, each different', () => {
    expect(checkSecret(generateSecret())).toEqual({ ok: true })
    expect(generateSecret()).not.toBe(generateSecret())
  })
})
