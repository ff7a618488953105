import { expect, test } from '@jest/globals'
import type { InternalConnection } from './internals.ts'
import { sendRequest } from './send-request.ts'
import type { BrokerRequest } from '../wire/broker-request.ts'

/** A connection to a broker that supports Metadata up to a version, and what was written to it. */
function connectionTo(maxVersion: number) {
  const written: Buffer[] = []
  const connection: InternalConnection = {
    clientId: 'c',
    versions: { 3: { maxVersion } },
    socket: {
      cork() {},
      uncork() {},
      write: (part: Buffer) => written.push(part) > 0,
      destroy: () => undefined as never,
    },
    isAuthenticated: () => true,
    async authenticate() {},
    failIfNotConnected() {},
    nextCorrelationId: () => 7,
    requestQueue: {
      enforceRequestTimeout: false,
      push(request) {
        request.sendRequest()
        request.entry.reject(new Error('no answer'))
      },
    },
  }
  return { connection, written: () => Buffer.concat(written) }
}

const request: BrokerRequest<void> = {
  apiKey: 3,
  apiName: 'Metadata',
  version: 5,
  flexibleVersion: 10,
  write(to) {
    to.string('to')
    to.tags()
  },
  read() {},
}

test.each([
  [10, 10, 'a flexible request, whose header ends with tagged fields', 1 + 1 + 2 + 1],
  [9, 5, 'the older form, to a broker without the newer one', 2 + 2],
])('a broker that supports v%i gets v%i: %s', async (maxVersion, version, _name, bytes) => {
  const { connection, written } = connectionTo(maxVersion)
  await expect(sendRequest(connection, request)).rejects.toThrow('no answer')
  const head = 4 + 2 + 2 + 4 + 2 + 1
  expect(written().length).toBe(head + bytes)
  expect(written().readInt32BE(0)).toBe(head + bytes - 4)
  expect([written().readInt16BE(4), written().readInt16BE(6)]).toEqual([3, version])
})
