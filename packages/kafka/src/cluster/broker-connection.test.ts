import { beforeEach, expect, test } from '@jest/globals'
import { BrokerConnection } from './broker-connection.ts'
import type { InternalBroker } from './internals.ts'

const REQUEST = { apiKey: 3, apiName: 'Metadata', version: 1, write: () => {}, read: () => undefined }

let dials: number
beforeEach(() => {
  dials = 0
})

test('a connection that is dropped before it is dialled is not dialled for that request', async () => {
  const connection = create()
  const answer = connection.send(REQUEST, 1000)
  connection.drop('a reason')
  await expect(answer).rejects.toThrow('the connection was dropped')
  expect(dials).toBe(0)
  await expect(connection.send(REQUEST, 1000)).rejects.toThrow('nothing listens')
  expect(dials).toBe(1)
})

test('a connection that is closed is never dialled again', async () => {
  const connection = create()
  connection.close('a reason')
  await expect(connection.send(REQUEST, 1000)).rejects.toThrow('the connection is closed')
  expect(dials).toBe(0)
})

function create(): BrokerConnection {
  const broker: InternalBroker = {
    isConnected: () => false,
    connect: () => {
      dials += 1
      return Promise.reject(new Error('nothing listens'))
    },
    connectionPool: { pool: [], getConnection: () => Promise.reject(new Error('not dialled')) },
  }
  const address = { host: '127.0.0.1', port: 1 }
  return new BrokerConnection({ address, identity: undefined, createBroker: async () => broker })
}
