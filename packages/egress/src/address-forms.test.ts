import { Socket } from 'node:net'
import { describe, expect, test } from '@jest/globals'
import { checkAddress } from './address-policy.ts'
import { createEgress, createEgressPolicy, type Resolve } from './index.ts'
import { checkWebhookUrl } from './url-policy.ts'

const strict = createEgressPolicy({ allowHttp: false })
const development = createEgressPolicy({ allowHttp: true })

/** Hosts in every spelling that some parser takes for an address that is not public. */
const PRIVATE_HOSTS = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0x7f.0.0.1',
  '0177.0.0.1',
  '017700000001',
  '0177.0x0.0.01',
  '127.0.0.1.',
  '0',
  '0.0.0.0',
  '00.0.0.0',
  '255.255.255.255',
  '10.0.0.1',
  '10.1',
  '0xa.0.0.1',
  '167772161',
  '172.16.0.1',
  '172.31.255.254',
  '192.168.0.1',
  '192.168.257',
  '0300.0250.0.1',
  '169.254.169.254',
  '168.63.129.16',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.43518',
  '100.64.0.1',
  '100.127.255.254',
  '192.0.0.192',
  '192.0.2.1',
  '192.88.99.1',
  '198.18.0.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.250',
  '240.0.0.1',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '１２７.0.0.1',
  '%31%32%37.0.0.1',
  '[::]',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000::0001]',
  '[::127.0.0.1]',
  '[::10.0.0.1]',
  '[::8.8.8.8]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::ffff:10.0.0.1]',
  '[::ffff:169.254.169.254]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::1]',
  '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::1]',
  '[2001::1]',
  '[2001:db8::1]',
  '[3fff::1]',
  '[fe80::1]',
  '[febf::1]',
  '[fec0::1]',
  '[fc00::1]',
  '[fd00:ec2::254]',
  '[ff02::1]',
  '[100::1]',
  '[5f00::1]',
  'localhost',
  'LOCALHOST',
  'localhost.',
  'a.localhost',
]

describe('checkWebhookUrl', () => {
  test.each(PRIVATE_HOSTS)('refuses https://%s/ before any look-up', (host) => {
    expect(checkWebhookUrl(`https://${host}/hook`, strict)).toMatchObject({ ok: false, code: 'address_not_allowed' })
  })

  test.each([
    'https://example.com/hook',
    'https://example.com:8443/hook?x=1',
    'https://8.8.8.8/',
    'https://0x08080808/',
    'https://[2606:4700::1111]/',
    'https://[::ffff:8.8.8.8]/',
    'https://127.0.0.1.example.com/',
    'https://xn--bcher-kva.example/',
  ])('takes %s', (url) => {
    expect(checkWebhookUrl(url, strict)).toMatchObject({ ok: true })
  })

  test.each([
    ['', 'invalid_url'],
    ['example.com/hook', 'invalid_url'],
    ['/hook', 'invalid_url'],
    ['https://', 'invalid_url'],
    [' https://example.com/', 'invalid_url'],
    ['https://exa\tmple.com/', 'invalid_url'],
    ['https://example.com/a b', 'invalid_url'],
    ['https://example.com/\n', 'invalid_url'],
    [`https://example.com/${'x'.repeat(2048)}`, 'invalid_url'],
    ['https://example.com:0/', 'invalid_url'],
    ['https://example.com:99999/', 'invalid_url'],
    ['https://256.256.256.256/', 'invalid_url'],
    ['https://[fe80::1%25eth0]/', 'invalid_url'],
    ['http://example.com/', 'scheme_not_allowed'],
    ['ftp://example.com/', 'scheme_not_allowed'],
    ['file:///etc/passwd', 'scheme_not_allowed'],
    ['gopher://example.com/', 'scheme_not_allowed'],
    ['javascript:alert(1)', 'scheme_not_allowed'],
    ['https://user@example.com/', 'credentials_not_allowed'],
    ['https://user:pass@example.com/', 'credentials_not_allowed'],
    ['https://:pass@example.com/', 'credentials_not_allowed'],
    ['https://@example.com/', 'credentials_not_allowed'],
    ['https://example.com@127.0.0.1/', 'credentials_not_allowed'],
    ['https://example.com%40127.0.0.1/', 'invalid_url'],
    ['https://example.com\\@127.0.0.1/', 'ok'],
  ])('checks %j: %s', (url, code) => {
    const verdict = checkWebhookUrl(url, strict)
    expect(verdict.ok ? 'ok' : verdict.code).toBe(code)
  })

  test('opens http and loopback in development, and nothing else', () => {
    expect(checkWebhookUrl('http://127.0.0.1:9000/hook', development)).toMatchObject({ ok: true })
    expect(checkWebhookUrl('http://localhost:9000/hook', development)).toMatchObject({ ok: true })
    expect(checkWebhookUrl('http://[::1]:9000/hook', development)).toMatchObject({ ok: true })
    expect(checkWebhookUrl('http://169.254.169.254/', development)).toMatchObject({ ok: false })
    expect(checkWebhookUrl('http://10.0.0.1/', development)).toMatchObject({ ok: false })
  })

  test('opens the ranges of the policy, also in v4-mapped form, and no others', () => {
    const open = createEgressPolicy({ allowHttp: false, allowCidrs: ['10.1.0.0/16', 'fd00::/8'] })
    expect(checkAddress('10.1.2.3', open)).toEqual({ ok: true })
    expect(checkAddress('::ffff:10.1.2.3', open)).toEqual({ ok: true })
    expect(checkAddress('fd12::1', open)).toEqual({ ok: true })
    expect(checkAddress('10.2.0.1', open)).toMatchObject({ ok: false })
    expect(checkAddress('fc00::1', open)).toMatchObject({ ok: false })
    expect(checkAddress('127.0.0.1', open)).toMatchObject({ ok: false })
  })

  test('refuses a range that it cannot read', () => {
    expect(() => createEgressPolicy({ allowHttp: false, allowCidrs: ['10.0.0.0/99'] })).toThrow('10.0.0.0/99')
  })
})

/** Records what would be dialled; nothing leaves this process. */
function recordingEgress(resolve: Resolve) {
  const dialled: string[] = []
  const egress = createEgress({
    policy: strict,
    resolve,
    dial: ({ address, port }) => {
      dialled.push(`${address}:${port}`)
      const socket = new Socket()
      setImmediate(() => socket.destroy(Object.assign(new Error('recorded'), { code: 'ECONNREFUSED' })))
      return socket
    },
  })
  const send = (url: string) =>
    egress.send({ url: new URL(url), headers: {}, body: Buffer.from('{}'), timeoutMs: 2000 })
  return { dialled, send, close: egress.close }
}
const addresses = (...list: string[]) =>
  list.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }) as const)

describe('the guarded dial', () => {
  test.each(PRIVATE_HOSTS)('dials nothing for https://%s/, though it was never checked before', async (host) => {
    const { dialled, send, close } = recordingEgress(async () => addresses('8.8.8.8'))
    expect(await send(`https://${host}/hook`)).toMatchObject({ errorClass: 'blocked', status: null })
    expect(dialled).toEqual([])
    await close()
  })

  test('dials exactly the checked address, and looks the name up once', async () => {
    let lookUps = 0
    const { dialled, send, close } = recordingEgress(async () => {
      lookUps += 1
      return lookUps === 1 ? addresses('8.8.8.8') : addresses('127.0.0.1')
    })
    expect(await send('https://rebinding.example/')).toMatchObject({
      errorClass: 'connection_refused',
      address: '8.8.8.8',
    })
    expect(dialled).toEqual(['8.8.8.8:443'])
    expect(lookUps).toBe(1)
    expect(await send('https://rebinding.example/')).toMatchObject({ errorClass: 'dns_error', address: '127.0.0.1' })
    expect(dialled).toEqual(['8.8.8.8:443'])
    await close()
  })

  test('dials only the public ones of several addresses', async () => {
    const { dialled, send, close } = recordingEgress(async () => addresses('10.0.0.1', '8.8.4.4', '::1', '8.8.8.8'))
    await send('https://mixed.example:8443/')
    expect(dialled).toEqual(['8.8.4.4:8443', '8.8.8.8:8443'])
    await close()
  })

  test.each(['10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1', 'fe80::1%eth0', '64:ff9b::7f00:1', 'not-an-address'])(
    'dials nothing for a name that resolves to %s',
    async (address) => {
      const { dialled, send, close } = recordingEgress(async () => addresses(address))
      expect(await send('https://name.example/')).toMatchObject({ errorClass: 'dns_error', address })
      expect(dialled).toEqual([])
      await close()
    },
  )

  test('says dns_error when there is no address, and timeout when there is no answer', async () => {
    const failing = recordingEgress(async () => {
      throw new Error('queryA ENOTFOUND name.example')
    })
    expect(await failing.send('https://name.example/')).toMatchObject({ errorClass: 'dns_error' })
    const silent = recordingEgress(() => new Promise(() => {}))
    expect(await silent.send('https://name.example/')).toMatchObject({ errorClass: 'timeout' })
    await Promise.all([failing.close(), silent.close()])
  })

  test('sends nothing over http unless the policy allows it', async () => {
    const { dialled, send, close } = recordingEgress(async () => addresses('8.8.8.8'))
    expect(await send('http://name.example/')).toMatchObject({ errorClass: 'blocked' })
    expect(dialled).toEqual([])
    await close()
  })
})
