import { once } from 'node:events'
import { createServer as createHttp, type Server as HttpServer } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals'
import { createEgressPolicy } from './index.ts'
import { createEgress, type EgressOptions } from './egress.ts'

/** Every spelling of loopback that some parser or resolver takes for it: dialled for real, if the guard let it through. */
const LOOPBACK = [
  '127.0.0.1',
  '127.1',
  '127.0.1',
  '2130706433',
  '0x7f000001',
  '0x7f.1',
  '0177.0.0.1',
  '017700000001',
  '127.0.0.1.',
  '127.1.2.3',
  '0.0.0.0',
  '0',
  '[::1]',
  '[::]',
  '[0:0:0:0:0:0:0:1]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[::127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[2002:7f00:1::]',
  'localhost',
  'localhost.',
  'LocalHost',
  'a.localhost',
  '①②⑦.⓪.⓪.①',
  '127。0。0。1',
  '%31%32%37.0.0.1',
  'user:pass@127.0.0.1',
  'example.com@127.0.0.1',
]

let canary: Server
let port: number
let connections = 0

beforeAll(async () => {
  canary = createServer((socket) => {
    connections += 1
    socket.destroy()
  })
  canary.listen(0, '127.0.0.1')
  await once(canary, 'listening')
  port = (canary.address() as AddressInfo).port
})
afterAll(() => void canary.close())
beforeEach(() => {
  connections = 0
})

async function send(url: string, o: Partial<EgressOptions> = {}) {
  const egress = createEgress({ policy: createEgressPolicy({ allowHttp: false }), ...o })
  try {
    return await egress.send({ url: new URL(url), headers: {}, body: Buffer.from('{}'), timeoutMs: 1000 })
  } finally {
    await egress.close()
  }
}

describe('a canary on loopback gets no connection', () => {
  test('in any spelling of its address, over https and http', async () => {
    for (const host of LOOPBACK) {
      expect(await send(`https://${host}:${port}/`)).toMatchObject({ errorClass: 'blocked' })
      expect(await send(`http://${host}:${port}/`)).toMatchObject({ errorClass: 'blocked' })
    }
    expect(connections).toBe(0)
  })

  test('when a name answers a public address first and loopback then', async () => {
    let lookUps = 0
    const dialled: string[] = []
    const resolve = async () => {
      lookUps += 1
      return [{ address: lookUps === 1 ? '8.8.8.8' : '127.0.0.1', family: 4 as const }]
    }
    // A public address is never dialled for real.
    const refuse: NonNullable<EgressOptions['dial']> = ({ address }) => {
      dialled.push(address)
      throw new Error('recorded')
    }
    await send(`https://rebinding.example:${port}/`, { resolve, dial: refuse })
    expect(await send(`https://rebinding.example:${port}/`, { resolve })).toMatchObject({ errorClass: 'dns_error' })
    expect(dialled).toEqual(['8.8.8.8'])
    expect(connections).toBe(0)
  })

  test('when a receiver redirects to it, a hundred times over', async () => {
    const statuses = [301, 302, 303, 307, 308]
    let requests = 0
    const redirecting: HttpServer = createHttp((_, response) => {
      const status = statuses[requests++ % statuses.length] ?? 302
      response.writeHead(status, { location: `http://127.0.0.1:${port}/` }).end()
    })
    redirecting.listen(0, '127.0.0.1')
    await once(redirecting, 'listening')
    const url = `http://127.0.0.1:${(redirecting.address() as AddressInfo).port}/`
    const open = { policy: createEgressPolicy({ allowHttp: true }) }
    for (let times = 0; times < 100; times += 1) {
      expect(await send(url, open)).toMatchObject({ errorClass: 'http_3xx' })
    }
    expect(requests).toBe(100)
    expect(connections).toBe(0)
    redirecting.close()
  })
})
