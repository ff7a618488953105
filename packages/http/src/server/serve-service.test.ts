import { afterEach, describe, expect, test } from '@jest/globals'
import { createMetrics, type Running } from '@ariftly/runtime'
import { serveService, type ServedService } from './serve-service.ts'
import { defer, json, log } from './test-server.ts'

const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()))
})

async function service(fields: Partial<Running>, metricsPort?: number, shutdownDelayMs = 0): Promise<ServedService> {
  const running: Running = {
    name: 'test',
    router: (_req, res) => void res.end('routed'),
    ready: () => ({ ready: true, checks: { postgres: 'unavailable since noon' } }),
    close: () => Promise.resolve(),
    ...fields,
  }
  const deps = { log, metrics: createMetrics(), signal: new AbortController().signal }
  const options = { host: '127.0.0.1', port: 0, metricsPort, drainMs: 2000, shutdownDelayMs }
  const served = await serveService(running, options, deps)
  closing.push(() => served.close())
  return served
}

function get(port: number, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}${path}`)
}

describe('serveService', () => {
  test('has the ops routes and its own on one port, and a backend that is down is named with 200', async () => {
    const { port } = await service({})
    const ready = await get(port, '/readyz')
    expect([ready.status, await json(ready)]).toEqual([
      200,
      { status: 'ready', checks: { postgres: 'unavailable since noon' } },
    ])
    expect((await get(port, '/livez')).status).toBe(200)
    expect((await get(port, '/metrics')).headers.get('content-type')).toMatch(/^text\/plain/)
    expect(await (await get(port, '/v1/events')).text()).toBe('routed')
    const posted = await fetch(`http://127.0.0.1:${port}/readyz`, { method: 'POST' })
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD'])
  })

  test('with METRICS_PORT the ops routes are there and not on the public port', async () => {
    const { port, metricsPort } = await service({}, 0)
    expect(metricsPort).not.toBe(port)
    expect((await get(metricsPort, '/readyz')).status).toBe(200)
    expect((await get(metricsPort, '/v1/events')).status).toBe(404)
    expect(await (await get(port, '/readyz')).text()).toBe('routed')
  })

  test('is 503 while it is not ready, and while it drains', async () => {
    let ready = false
    const drained = defer()
    const served = await service({
      ready: () => ({ ready, checks: {} }),
      drain: () => drained.promise,
    })
    expect((await get(served.port, '/readyz')).status).toBe(503)
    ready = true
    expect((await get(served.port, '/readyz')).status).toBe(200)
    const draining = served.drain?.()
    const answer = await get(served.port, '/readyz')
    expect([answer.status, await json(answer)]).toEqual([503, { status: 'not_ready', checks: { process: 'draining' } }])
    drained.resolve()
    await draining
    await expect(get(served.port, '/readyz')).rejects.toThrow()
  })

  test('waits before it drains: requests that arrive before load balancers have seen that it is not ready are served as usual', async () => {
    let isDraining = false
    const drain = () => void (isDraining = true)
    const served = await service({ drain }, undefined, 1500)
    const draining = served.drain?.()
    expect((await get(served.port, '/readyz')).status).toBe(503)
    const answer = await get(served.port, '/v1/events')
    expect([answer.status, answer.headers.get('connection'), isDraining]).toEqual([200, 'close', false])
    await draining
    expect(isDraining).toBe(true)
  })
})
