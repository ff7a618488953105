import { describe, expect, test } from '@jest/globals'
import { ByteBudget } from './byte-budget.ts'

/** A budget of 1,000 bytes, and a way to open holders that do not read. */
function setUp() {
  const budget = new ByteBudget({ bytesMax: 1000 })
  const cut: string[] = []
  const hold = (tenant: string, bytes: number, name = tenant) => {
    const share = budget.open(tenant, {
      unsentBytes: () => share.bytes,
      destroy: () => {
        cut.push(name)
        share.close()
      },
    })
    share.set(bytes)
    return share
  }
  return { budget, cut, hold }
}

describe('ByteBudget', () => {
  test('tenants that use their maximum leave memory for another one, and get none of it themselves', () => {
    const budget = new ByteBudget({ bytesMax: 64_000, tenantMax: (left) => left * 0.25 })
    const shares = Array.from({ length: 10 }, (_, n) => budget.open(`loud-${n}`))
    for (const share of shares) while (share.take(10));
    expect(shares.some((share) => share.take(10))).toBe(false)
    const calm = budget.open('calm')
    expect(calm.take(256)).toBe(true)
    calm.close()
    for (const share of shares) share.close()
    expect(budget.open('calm').take(16_000)).toBe(true)
  })

  test('all bytes are freed, however often a share is closed, and a tenant without a share is forgotten', () => {
    const budget = new ByteBudget({ bytesMax: 100 })
    const [one, same] = [budget.open('a'), budget.open('a')]
    expect([one.take(60), same.take(41), same.take(40)]).toEqual([true, false, true])
    expect({ bytes: budget.bytes, ofA: budget.bytesOf('a'), tenants: budget.tenants }).toEqual({
      bytes: 100,
      ofA: 100,
      tenants: 1,
    })
    one.close()
    one.close()
    expect({ bytes: budget.bytes, tenants: budget.tenants }).toEqual({ bytes: 40, tenants: 1 })
    same.close()
    expect({ bytes: budget.bytes, tenants: budget.tenants }).toEqual({ bytes: 0, tenants: 0 })
  })

  test('a closed share takes nothing, as nothing would give it back', () => {
    const budget = new ByteBudget({ bytesMax: 100 })
    const share = budget.open('a')
    share.close()
    share.set(10)
    expect(share.take(10)).toBe(false)
    expect({ bytes: budget.bytes, held: share.bytes }).toEqual({ bytes: 0, held: 0 })
  })

  test('cuts the largest shares of the tenant that has most, until a fifth is free', () => {
    const { budget, cut, hold } = setUp()
    for (const n of [1, 2, 3, 4]) hold('loud', n * 100, `loud-${n}`)
    hold('calm', 90)
    expect(budget.enforce()).toBe(1)
    expect(cut).toEqual(['loud-4'])
    expect(budget.bytes).toBe(690)
    hold('calm', 350, 'calm-2')
    expect(budget.enforce()).toBe(1)
    expect(cut).toEqual(['loud-4', 'loud-3'])
    expect(budget.bytes).toBe(740)
  })

  test('cuts shares of one tenant only until another has more', () => {
    const { budget, cut, hold } = setUp()
    for (let n = 0; n < 6; n += 1) hold('a', 100, 'a')
    for (let n = 0; n < 5; n += 1) hold('b', 100, 'b')
    expect(budget.enforce()).toBe(3)
    expect(cut).toEqual(['a', 'a', 'b'])
  })

  test('counts again before it cuts, and cuts no one whose client has read meanwhile', () => {
    const { budget, cut, hold } = setUp()
    const reads = budget.open('reads', { unsentBytes: () => 10, destroy: () => cut.push('reads') })
    reads.set(900)
    hold('slow', 500)
    expect(budget.enforce()).toBe(0)
    expect(budget.bytes).toBe(510)
    expect(cut).toEqual([])
  })
})
