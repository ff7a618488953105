import { describe, expect, test } from '@jest/globals'
import { deferred, type Deferred } from '@ariftly/async'
import { TenantTurns, type TenantTurnsOptions } from './tenant-turns.ts'

/** Turns whose work ends when the test says so; `started` lists the tenants in the order of their turns. */
function setUp(options: TenantTurnsOptions) {
  const turns = new TenantTurns(options)
  const started: { readonly tenant: string; readonly done: Deferred<void> }[] = []

  function add(tenant: string, count: number, signal?: AbortSignal): Promise<void>[] {
    return Array.from({ length: count }, () =>
      turns.run(
        tenant,
        () => {
          const done = deferred()
          started.push({ tenant, done })
          return done.promise
        },
        signal,
      ),
    )
  }

  async function finish(index: number): Promise<void> {
    started[index]?.done.resolve()
    for (let n = 0; n < 10; n += 1) await Promise.resolve()
  }

  return { turns, started, add, finish, tenants: () => started.map(({ tenant }) => tenant).join('') }
}

describe('TenantTurns', () => {
  test('gives the first tenant half of the slots, and each further one half of the remaining slots, without a wait', () => {
    const { add, tenants } = setUp({ concurrencyMax: 10 })
    for (const tenant of ['a', 'b', 'c', 'd']) void add(tenant, 10)
    expect(tenants()).toBe('aaaaabbbcd')
  })

  test('gives one tenant no more than its own bound', () => {
    const { add, tenants } = setUp({ concurrencyMax: 6, perTenantMax: 2 })
    void add('a', 100)
    void add('b', 1)
    void add('c', 5)
    expect(tenants()).toBe('aabcc')
  })

  test('gives a free slot to the tenant that uses the fewest', async () => {
    const { add, finish, tenants } = setUp({ concurrencyMax: 4 })
    void add('a', 4)
    for (const tenant of ['b', 'c', 'd']) void add(tenant, 1)
    expect(tenants()).toBe('aabc')
    await finish(0)
    expect(tenants()).toBe('aabcd')
  })

  test('a tenant that comes while all slots are in use waits for at most one piece of work of each other tenant', async () => {
    const { add, finish, tenants } = setUp({ concurrencyMax: 3, perTenantMax: 1 })
    for (const tenant of ['a', 'b', 'c', 'd', 'e']) void add(tenant, 3)
    expect(tenants()).toBe('abc')
    for (let index = 0; index < 7; index += 1) await finish(index)
    expect(tenants()).toBe('abcabcdeab')
  })

  test('one slot serves all tenants in turn, however much work each has', async () => {
    const { add, finish, tenants } = setUp({ concurrencyMax: 1 })
    void add('a', 10)
    void add('b', 2)
    for (let index = 0; index < 4; index += 1) await finish(index)
    expect(tenants()).toBe('aabab')
  })

  test('refuses work of a tenant beyond the waiting maximum, and runs the waiting work', async () => {
    const { add, finish, tenants } = setUp({ concurrencyMax: 2, waitingPerTenantMax: 1 })
    const [, waiting, refused] = add('a', 3)
    await expect(refused).rejects.toMatchObject({ name: 'TurnRefused', reason: 'full' })
    await finish(0)
    await finish(1)
    expect(await waiting).toBeUndefined()
    expect(tenants()).toBe('aa')
  })

  test('drops waiting work whose signal is aborted, and uses no slot for it', async () => {
    const { turns, add, finish, tenants } = setUp({ concurrencyMax: 2 })
    const leaving = new AbortController()
    void add('a', 1)
    const [waiting] = add('a', 1, leaving.signal)
    const [late] = add('a', 1, AbortSignal.abort())
    leaving.abort()
    await expect(waiting).rejects.toMatchObject({ reason: 'aborted' })
    await expect(late).rejects.toMatchObject({ reason: 'aborted' })
    void add('a', 1)
    await finish(0)
    expect(tenants()).toBe('aa')
    await finish(1)
    expect(turns.size).toBe(0)
  })

  test('continues after work that fails, and forgets tenants whose work is done', async () => {
    const { turns } = setUp({ concurrencyMax: 1 })
    const failed = turns.run('a', () => Promise.reject(new Error('no')))
    const next = turns.run('a', () => Promise.resolve('yes'))
    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('yes')
    expect(turns.size).toBe(0)
  })
})
