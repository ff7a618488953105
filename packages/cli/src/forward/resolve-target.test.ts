import { describe, expect, test } from '@jest/globals'
import { startReceiver } from '@ariftly/testkit'
import { openTarget } from './open-target.ts'
import { resolveTarget, type LookUp } from './resolve-target.ts'

/** A name server that has the given addresses for every name, and notes what it was asked. */
function namesOf(...addresses: readonly string[]): { readonly lookUp: LookUp; readonly asked: string[] } {
  const asked: string[] = []
  const lookUp = async (hostname: string) => {
    asked.push(hostname)
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
  }
  return { lookUp, asked }
}

const addressesOf = async (text: string, allowRemote: boolean, ...addresses: readonly string[]) => {
  const target = await resolveTarget(text, { allowRemote, lookUp: namesOf(...addresses).lookUp })
  return target.addresses.map(({ address }) => address)
}

describe('a target on this machine', () => {
  test.each([
    ['http://localhost:3000/hook', ['127.0.0.1', '::1']],
    ['http://dev.example/', ['127.8.9.10']],
    ['http://mapped.example/', ['::ffff:127.0.0.1']],
  ])('%s at %j is taken', async (text, addresses) => {
    expect(await addressesOf(text, false, ...addresses)).toEqual(addresses)
  })

  test.each(['http://127.0.0.1:1/', 'http://[::1]:1/', 'http://127.1/'])('%s needs no name server', async (text) => {
    const { lookUp, asked } = namesOf('192.0.2.1')
    await resolveTarget(text, { allowRemote: false, lookUp })
    expect(asked).toEqual([])
  })

  test('its name is looked up once, and what was checked is dialled', async () => {
    const receiver = await startReceiver()
    try {
      const { lookUp, asked } = namesOf('127.0.0.1')
      const url = `http://no-such-name.invalid:${receiver.port}/hook`
      const target = openTarget(await resolveTarget(url, { allowRemote: false, lookUp }), 5000)
      for (let n = 0; n < 2; n += 1) {
        expect(await target.post({}, Buffer.from('{}'))).toEqual({ type: 'delivered', status: 200 })
      }
      target.close()
      expect(asked).toEqual(['no-such-name.invalid'])
      expect(receiver.requests.map(({ headers }) => headers.host)).toEqual(
        Array.from({ length: 2 }, () => `no-such-name.invalid:${receiver.port}`),
      )
    } finally {
      await receiver.close()
    }
  })
})

describe('a target elsewhere', () => {
  // Documentation, private, link-local, unspecified and mapped addresses, and a name with a local and a foreign one.
  const remote = [
    ['192.0.2.7'],
    ['10.0.0.1'],
    ['169.254.169.254'],
    ['0.0.0.0'],
    ['::'],
    ['2001:db8::1'],
    ['fe80::1'],
    ['::ffff:192.0.2.7'],
    ['127.0.0.1', '192.0.2.7'],
    ['::1', '2001:db8::1'],
  ]

  test.each(remote)('at %j is refused with a remedy', async (...addresses) => {
    await expect(addressesOf('http://app.example/', false, ...addresses)).rejects.toMatchObject({
      code: 'target_not_local',
      remedy: expect.stringContaining('--allow-remote-target'),
    })
  })

  test.each(remote)('at %j is taken with --allow-remote-target', async (...addresses) => {
    expect(await addressesOf('http://app.example/', true, ...addresses)).toEqual(addresses)
  })

  test.each(['http://192.0.2.7/', 'https://[2001:db8::1]/', 'http://0/'])('%s needs the option too', async (text) => {
    await expect(addressesOf(text, false)).rejects.toMatchObject({ code: 'target_not_local' })
    expect(await addressesOf(text, true)).toHaveLength(1)
  })
})

test.each(['localhost:3000', 'ftp://localhost/', 'http://user:secret@localhost/', 'http://no-address.example/'])(
  '%s is no target, with the option neither',
  async (text) => {
    for (const allowRemote of [false, true]) {
      await expect(addressesOf(text, allowRemote)).rejects.toMatchObject({
        code: 'bad_target',
        message: expect.not.stringContaining('secret'),
      })
    }
  },
)
