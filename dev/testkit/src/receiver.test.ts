import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startReceiver, type Receiver } from './receiver.ts'

let receiver: Receiver
beforeEach(async () => {
  receiver = await startReceiver()
})
afterEach(() => receiver.close())

test('keeps the bytes and headers of each request and answers 200', async () => {
  const body = Buffer.from([0, 255, 10, 13])
  const { status } = await fetch(receiver.url, { method: 'POST', body, headers: { 'x-one': '1' } })
  expect(status).toBe(200)
  const [request, ...others] = receiver.requests
  expect(others).toEqual([])
  expect(request?.body.equals(body)).toBe(true)
  expect(request).toMatchObject({ method: 'POST', path: '/webhook', headers: { 'x-one': '1' } })
})

test('answers as set, and can break the connection instead', async () => {
  receiver.respondWith(() => ({ status: 429, headers: { 'retry-after': '7' }, body: 'slow down' }))
  const response = await fetch(receiver.url, { method: 'POST', body: '{}' })
  expect([response.status, response.headers.get('retry-after'), await response.text()]).toEqual([429, '7', 'slow down'])
  receiver.respondWith(() => ({ instead: 'reset' }))
  await expect(fetch(receiver.url, { method: 'POST', body: '{}' })).rejects.toThrow('fetch failed')
})
