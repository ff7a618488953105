import { afterEach, describe, expect, test } from '@jest/globals'
import { requestContext } from './request-context.ts'
import { sendJson } from './send-json.ts'
import { closeServers, json, serve } from '../server/test-server.ts'

afterEach(closeServers)

async function echo(): Promise<string> {
  const server = await serve((req, res) => sendJson(res, 200, { traceparent: requestContext(req, res).traceparent }))
  return server.base
}

describe('requestContext', () => {
  test('keeps a sane request id and replaces any other', async () => {
    const base = await echo()
    const idFor = async (id: string) =>
      (await fetch(`${base}/`, { headers: { 'x-request-id': id } })).headers.get('x-request-id')
    expect(await idFor('my-request:1')).toBe('my-request:1')
    for (const bad of ['a b', 'x'.repeat(129), '<script>', '"']) expect(await idFor(bad)).toMatch(/^req_[0-9a-f]{32}$/)
  })

  test('keeps a valid traceparent and makes a new one otherwise', async () => {
    const base = await echo()
    const traceFor = async (traceparent: string) =>
      (await json(await fetch(`${base}/`, { headers: { traceparent } })))['traceparent']
    const good = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    expect(await traceFor(good)).toBe(good)
    expect(await traceFor(good.replace('00-', '01-') + '-more')).toBe(good)
    const bad = [
      'x',
      good.toUpperCase(),
      good.replace('00-', 'ff-'),
      `${good}-more`,
      `00-${'0'.repeat(32)}-${'b'.repeat(16)}-01`,
    ]
    const fresh = await Promise.all(bad.map(traceFor))
    for (const traceparent of fresh) expect(traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(new Set(fresh).size).toBe(bad.length)
  })
})
