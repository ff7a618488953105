import { once } from 'node:events'
import { createServer, request, type ClientRequest, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { deferred, type Deferred } from '@ariftly/async'
import { createRouter, Problem } from '@ariftly/http'
import { createLogger, createMetrics } from '@ariftly/runtime'
import { eventually } from '@ariftly/testkit'
import { MemoryBudget } from '../admission/memory-budget.ts'
import { BODY_BYTES_MAX, createPostEvents } from './post-events.ts'
import { createBodyReader } from './request-body.ts'

const BODY = Buffer.alloc(100_000)

let budget: MemoryBudget
let server: Server
let bodies: ReturnType<typeof createBodyReader>
/** Resolves when the pipeline has a body, and is to end. */
let arrived: Deferred<void>
let end: Deferred<void>
let isFailing: boolean

beforeEach(async () => {
  budget = new MemoryBudget(2 ** 24)
  bodies = createBodyReader({ bytesMax: BODY_BYTES_MAX, timeoutMs: 30_000 })
  arrived = deferred()
  end = deferred()
  isFailing = false
  const postEvents = createPostEvents(
    async (post, call) => {
      const lease = budget.open('acme')
      if (lease === undefined) throw new Error('There is no room.')
      call.hold(lease)
      await post.readBody('identity', lease)
      arrived.resolve()
      await end.promise
      if (isFailing) throw new Problem(503, 'log_unavailable')
      return { status: 202, headers: {}, body: '{}' }
    },
    { bodies, onPost: () => {} },
  )
  const log = createLogger({ service: 'test', level: 'silent' })
  server = createServer(createRouter({ handlers: { postEvents }, log, metrics: createMetrics() }))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
})

afterEach(async () => {
  bodies.close()
  const closed = once(server, 'close')
  server.close()
  server.closeAllConnections()
  await closed
})

/** Starts a post of {@link BODY}. */
function startPost(): ClientRequest {
  const { port } = server.address() as AddressInfo
  const headers = { 'content-length': BODY.length }
  const req = request({ port, host: '127.0.0.1', path: '/v1/events', method: 'POST', headers })
  req.on('error', () => {})
  return req
}

/** Disconnects, and waits until the server knows. */
async function disconnect(req: ClientRequest): Promise<void> {
  req.destroy()
  await eventually('the server has no connection', async () => {
    const [error, count] = await new Promise<[Error | null, number]>((resolve) =>
      server.getConnections((...result) => resolve(result)),
    )
    return error === null && count === 0
  })
}

test.each([
  ['an answer', false],
  ['a problem', true],
])('a body whose client has disconnected is counted until the pipeline ends with %s', async (_, fails) => {
  isFailing = fails
  const req = startPost()
  req.end(BODY)
  await arrived.promise
  await disconnect(req)
  expect(budget.usedBytes).toBeGreaterThanOrEqual(BODY.length)
  end.resolve()
  await eventually('nothing is counted', () => budget.usedBytes === 0)
})

test('an unfinished body whose client has disconnected is not counted', async () => {
  const req = startPost()
  req.write(BODY.subarray(1))
  await eventually('the bytes are counted', () => budget.usedBytes >= BODY.length - 1)
  await disconnect(req)
  await eventually('nothing is counted', () => budget.usedBytes === 0)
})

test('a body is not counted once its answer is read', async () => {
  const req = startPost()
  req.end(BODY)
  end.resolve()
  const [response] = (await once(req, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  await eventually('nothing is counted', () => budget.usedBytes === 0)
})
