import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { checkAddress } from './address-policy.ts'
import { createEgress, createEgressPolicy } from './index.ts'
import { createResolver, type Resolve } from './resolve.ts'

const policy = createEgressPolicy({ allowHttp: false, allowCidrs: ['192.0.2.0/24'] })
const folder = mkdtempSync(join(tmpdir(), 'ariftly-resolve-'))
const hostsFile = join(folder, 'hosts')
/** Names that the name server was asked for, once for each question. */
let asked: string[] = []
let server: Socket
let resolve: Resolve

/** A name server: `private.test` is 10.0.0.1, `failing.test` is SERVFAIL, there is no other name. */
beforeAll(async () => {
  writeFileSync(hostsFile, '10.0.0.7 inside.test\n192.0.2.7 open.test # both\n10.0.0.8 open.test\n')
  server = createSocket('udp4', (query, { address, port }) => server.send(answerTo(query), port, address))
  server.bind(0, '127.0.0.1')
  await once(server, 'listening')
  const servers = [`127.0.0.1:${server.address().port}`]
  resolve = createResolver({ mayReach: (address) => checkAddress(address, policy).ok, hostsFile, servers })
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true })
})

function answerTo(query: Buffer): Buffer {
  const { name, type, end } = readQuestion(query)
  asked.push(name)
  const found = name === 'private.test' && type === 1
  const answer = found ? Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]) : Buffer.alloc(0)
  const code = { 'private.test': 0, 'failing.test': 2 }[name] ?? 3
  const head = Buffer.from([query[0] ?? 0, query[1] ?? 0, 0x81, 0x80 + code, 0, 1, 0, found ? 1 : 0, 0, 0, 0, 0])
  return Buffer.concat([head, query.subarray(12, end), answer])
}

function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = []
  let at = 12
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 }
}

test.each([
  ['private.test', 'private'],
  ['nothing.test', 'not_found'],
  ['failing.test', 'lookup_failed'],
  ['inside.test', 'not_found'],
])('%s is a dns_error after one look-up by DNS, and only the operator sees why: %s', async (host, unreachable) => {
  asked = []
  const egress = createEgress({ policy, resolve })
  const url = new URL(`https://${host}/`)
  const outcome = await egress.send({ url, headers: {}, body: Buffer.from('{}'), timeoutMs: 15_000 })
  expect(outcome).toMatchObject({ errorClass: 'dns_error', unreachable, status: null })
  expect(new Set(asked)).toEqual(new Set([host]))
  await egress.close()
})

test('addresses of the hosts file that may be reached need no look-up', async () => {
  asked = []
  expect(await resolve('Open.test.')).toEqual([{ address: '192.0.2.7', family: 4 }])
  expect(asked).toEqual([])
})
