import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals'
import { startForwardProxy, startReceiver, type ForwardProxy, type Receiver } from '@ariftly/testkit'
import { createProxyFetch, proxyOf } from './proxy-fetch.ts'

let target: Receiver
let proxy: ForwardProxy

beforeAll(async () => {
  target = await startReceiver()
})

afterAll(async () => {
  await target.close()
})

beforeEach(async () => {
  await proxy?.close()
  proxy = await startForwardProxy(target.port)
})

afterAll(async () => {
  await proxy.close()
})

test.each([
  ['https://a.example', { HTTPS_PROXY: 'http://p:1', HTTP_PROXY: 'http://q:1' }, 'http://p:1'],
  ['https://a.example', { HTTPS_PROXY: 'http://p:1', https_proxy: 'http://r:1' }, 'http://r:1'],
  ['https://a.example', { HTTP_PROXY: 'http://q:1' }, undefined],
  ['http://a.example', { HTTP_PROXY: 'proxy.example:3128' }, 'http://proxy.example:3128'],
  ['http://a.example', { HTTP_PROXY: '' }, undefined],
  ['http://localhost:8080', { HTTP_PROXY: 'http://q:1' }, undefined],
  ['http://127.3.2.1:8080', { HTTP_PROXY: 'http://q:1' }, undefined],
  ['http://[::1]:8080', { HTTP_PROXY: 'http://q:1' }, undefined],
])('the proxy of %s with %j is %s', (url, env, wanted) => {
  expect(proxyOf(new URL(url), env)?.url).toBe(wanted)
})

test.each(['http://', 'ftp://me:secret@p'])('%s is no proxy, and is not in the message', (value) => {
  expect(() => proxyOf(new URL('http://a.example'), { HTTP_PROXY: value })).toThrow(
    expect.objectContaining({ code: 'invalid_proxy', message: 'HTTP_PROXY is no URL of a proxy.' }),
  )
})

test('http goes to the proxy with its whole URL, and the password in a header', async () => {
  const fetch = createProxyFetch({ HTTP_PROXY: proxy.url.replace('//', '//me:secret@') })
  const answer = await fetch('http://api.invalid/v1/x?a=1', { headers: { authorization: 'Bearer k' } })
  expect(answer.status).toBe(200)
  expect(proxy.requests).toEqual(['GET http://api.invalid/v1/x?a=1'])
  expect(target.requests.at(-1)?.headers).toMatchObject({ host: 'api.invalid', authorization: 'Bearer k' })
  // This proxy passes on what it gets.
  const given = Buffer.from('me:secret').toString('base64')
  expect(target.requests.at(-1)?.headers['proxy-authorization']).toBe(`Basic ${given}`)
})

test.each(['api.invalid', '.invalid', '*', 'other.example,api.invalid:80'])(
  'NO_PROXY of %s leaves a host out, which no name server knows then',
  async (value) => {
    const fetch = createProxyFetch({ HTTP_PROXY: proxy.url, NO_PROXY: value })
    await expect(fetch('http://api.invalid/')).rejects.toMatchObject({ cause: { code: 'ENOTFOUND' } })
    expect(proxy.requests).toEqual([])
  },
)

test('this machine is called directly', async () => {
  await createProxyFetch({ HTTP_PROXY: proxy.url })(target.url)
  expect(proxy.requests).toEqual([])
})
