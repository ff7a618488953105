import { expect, test } from '@jest/globals'
import { BodyMemory } from './body-memory.ts'

test('tenants that hold all that they may leave room for another one, and get none of it themselves', () => {
  const memory = new BodyMemory({ bytesMax: 64_000, tenantShare: 0.25 })
  const shares = Array.from({ length: 10 }, (_, n) => memory.open(`loud-${n}`))
  for (const share of shares) while (share.take(10));
  expect(shares.some((share) => share.take(10))).toBe(false)
  const calm = memory.open('calm')
  expect(calm.take(256)).toBe(true)
  calm.release()
  for (const share of shares) share.release()
  expect(memory.open('calm').take(16_000)).toBe(true)
})
