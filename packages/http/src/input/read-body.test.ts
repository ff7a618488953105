import { afterEach, describe, expect, test } from '@jest/globals'
import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { sendProblem, type Problem } from '../answers/problem.ts'
import { readBody } from './read-body.ts'
import { sendJson } from '../answers/send-json.ts'
import { closeServers, defer, raw, serve } from '../server/test-server.ts'

afterEach(closeServers)

const listener: RequestListener = (req, res) =>
  void readBody(req, 10).then(
    (body) => sendJson(res, 200, { bytes: body.length }),
    (error: Problem) => sendProblem(req, res, error),
  )

describe('readBody', () => {
  test('a body too large is answered 413 while it is being sent, and the connection stays usable', async () => {
    const { port } = await serve(listener)
    const big = 'x'.repeat(3_000_000)
    const chunked = `POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n${big.length.toString(16)}\r\n${big}\r\n0\r\n\r\n`
    const sized = `POST / HTTP/1.1\r\nHost: x\r\nContent-Length: ${big.length}\r\n\r\n${big}`
    const small = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc'
    for (const large of [chunked, sized]) {
      expect(await raw(port, large + small)).toMatch(/^HTTP\/1.1 413 [^]*HTTP\/1.1 200 OK[^]*\{"bytes":3\}$/)
    }
  })

  test('a client that disconnects while sending ends the reading', async () => {
    const outcome = defer<unknown>()
    const { port } = await serve((req) => void readBody(req, 1000).catch(outcome.resolve))
    const socket = connect(port, '127.0.0.1')
    const begun = 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc'
    socket.write(begun, () => setTimeout(() => socket.destroy(), 20))
    expect(await outcome.promise).toMatchObject({ code: 'request_aborted' })
  })
})
