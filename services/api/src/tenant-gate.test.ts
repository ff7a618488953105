import { deferred } from '@ariftly/async'
import { expect, test } from '@jest/globals'
import { Problem, type ApiCall } from '@ariftly/http'
import { sampleCaller } from '@ariftly/testkit'
import { createTenantGate } from './tenant-gate.ts'

type GatedCall = Pick<ApiCall, 'caller' | 'authenticateAgain'>

/** A call of a tenant; `refuse` throws when its key is not valid any more. */
function callOf(tenant: string, refuse: () => void = () => undefined): GatedCall {
  const caller = sampleCaller({ tenant })
  const authenticateAgain = () => {
    refuse()
    return caller
  }
  return { caller, authenticateAgain }
}

test('what does not fit into the line of a tenant is refused with 429, while other tenants pass', async () => {
  const gate = createTenantGate({ concurrencyMax: 2, waitingMax: 1 })
  const slow = deferred()
  const running = gate(callOf('a'), () => slow.promise)
  const waiting = gate(callOf('a'), () => Promise.resolve('waited'))
  await expect(gate(callOf('a'), () => Promise.resolve('too much'))).rejects.toMatchObject({
    status: 429,
    code: 'too_many_queries',
  })
  expect(await gate(callOf('b'), () => Promise.resolve('passed'))).toBe('passed')
  slow.resolve()
  await running
  expect(await waiting).toBe('waited')
})

test('waiting work whose client has left is dropped', async () => {
  const gate = createTenantGate({ concurrencyMax: 2, waitingMax: 1 })
  const leaving = new AbortController()
  const slow = deferred()
  const running = gate(callOf('a'), () => slow.promise)
  let hasRun = false
  const waiting = gate(callOf('a'), () => Promise.resolve((hasRun = true)), leaving.signal)
  leaving.abort()
  await expect(waiting).rejects.toMatchObject({ status: 400, code: 'request_aborted' })
  slow.resolve()
  await running
  expect(hasRun).toBe(false)
})

test.each([
  [401, 'invalid_api_key'],
  [403, 'tenant_suspended'],
] as const)(
  'waiting work that authentication refuses with %i at its turn is not done, and holds no place',
  async (status, code) => {
    const gate = createTenantGate({ concurrencyMax: 2, waitingMax: 2 })
    const slow = deferred()
    const running = gate(callOf('a'), () => slow.promise)
    let isRefused = false
    let hasRun = false
    const call = callOf('a', () => {
      if (isRefused) throw new Problem(status, code)
    })
    const refused = expect(gate(call, () => Promise.resolve((hasRun = true)))).rejects.toMatchObject({ status, code })
    isRefused = true
    slow.resolve()
    await running
    await refused
    expect(hasRun).toBe(false)
    expect(await gate(callOf('a'), () => Promise.resolve('passed'))).toBe('passed')
  },
)

test('an error of the work itself is rethrown', async () => {
  const gate = createTenantGate({ concurrencyMax: 1, waitingMax: 1 })
  await expect(gate(callOf('a'), () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
})
