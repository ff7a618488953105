import { deferred } from '@ariftly/async'
import { expect, test } from '@jest/globals'
import { createTenantGate } from './tenant-gate.ts'

test('what does not fit into the line of a tenant is refused with 429, while other tenants pass', async () => {
  const gate = createTenantGate({ concurrencyMax: 2, waitingMax: 1 })
  const slow = deferred()
  const running = gate('a', () => slow.promise)
  const waiting = gate('a', () => Promise.resolve('waited'))
  await expect(gate('a', () => Promise.resolve('too much'))).rejects.toMatchObject({
    status: 429,
    code: 'too_many_queries',
  })
  expect(await gate('b', () => Promise.resolve('passed'))).toBe('passed')
  slow.resolve()
  await running
  expect(await waiting).toBe('waited')
})

test('waiting work whose client has left is dropped', async () => {
  const gate = createTenantGate({ concurrencyMax: 2, waitingMax: 1 })
  const leaving = new AbortController()
  const slow = deferred()
  const running = gate('a', () => slow.promise)
  let hasRun = false
  const waiting = gate('a', () => Promise.resolve((hasRun = true)), leaving.signal)
  leaving.abort()
  await expect(waiting).rejects.toMatchObject({ status: 400, code: 'request_aborted' })
  slow.resolve()
  await running
  expect(hasRun).toBe(false)
})

test('an error of the work itself is rethrown', async () => {
  const gate = createTenantGate({ concurrencyMax: 1, waitingMax: 1 })
  await expect(gate('a', () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})
