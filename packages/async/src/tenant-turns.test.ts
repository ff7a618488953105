import { describe, expect, test } from '@jest/globals'
import { deferred, type Deferred } from './deferred.ts'
import { TenantTurns } from './tenant-turns.ts'

/** Turns whose work ends when the test says so; `started` lists the tenants in the order of their turns. */
function setUp(placesMax: number) {
  const turns = new TenantTurns({ placesMax })
  const started: { readonly tenant: string; readonly done: Deferred<void> }[] = []

  function add(tenant: string, count: number): Promise<void>[] {
    return Array.from({ length: count }, () =>
      turns.run(tenant, () => {
        const done = deferred()
        started.push({ tenant, done })
        return done.promise
      }),
    )
  }

  async function finish(index: number): Promise<void> {
    started[index]?.done.resolve()
    for (let n = 0; n < 10; n += 1) await Promise.resolve()
  }

  return { turns, started, add, finish, tenants: () => started.map(({ tenant }) => tenant).join('') }
}

async function settled(): Promise<void> {
  for (let n = 0; n < 10; n += 1) await Promise.resolve()
}

describe('TenantTurns', () => {
  test('gives one tenant a third of the places, and each further tenant its own', async () => {
    const { add, tenants } = setUp(6)
    void add('a', 100)
    await settled()
    expect(tenants()).toBe('aa')
    void add('b', 1)
    void add('c', 5)
    await settled()
    expect(tenants()).toBe('aabcc')
  })

  test('a tenant that comes while all places are taken waits for one turn of each other tenant at most', async () => {
    const { add, finish, tenants } = setUp(3)
    for (const tenant of ['a', 'b', 'c', 'd', 'e']) void add(tenant, 3)
    await settled()
    expect(tenants()).toBe('abc')
    for (let index = 0; index < 7; index += 1) await finish(index)
    expect(tenants()).toBe('abcabcdeab')
  })

  test('goes on after work that fails, and forgets tenants whose work is done', async () => {
    const { turns } = setUp(1)
    const failed = turns.run('a', () => Promise.reject(new Error('no')))
    const next = turns.run('a', () => Promise.resolve('yes'))
    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('yes')
    expect(turns.size).toBe(0)
  })
})
