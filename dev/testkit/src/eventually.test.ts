import { describe, expect, test } from '@jest/globals'
import { eventually } from './eventually.ts'

describe('eventually', () => {
  test("returns the check's result once it no longer throws", async () => {
    let calls = 0
    const value = await eventually(
      () => {
        calls += 1
        if (calls < 3) throw new Error('not yet')
        return calls
      },
      { everyMs: 1 },
    )
    expect(value).toBe(3)
  })

  test('says the last error of the check when the time is over', async () => {
    let calls = 0
    const check = () => {
      calls += 1
      throw new Error(`never, ${calls}`)
    }
    await expect(eventually(check, { timeoutMs: 5, everyMs: 1 })).rejects.toThrow(
      /^After 5 ms the check still failed: never, [2-9]/,
    )
  })

  test('takes false and undefined for "not yet", and zero and the empty text for an answer', async () => {
    await expect(eventually(() => false, { timeoutMs: 5, everyMs: 1 })).rejects.toThrow('still gave false')
    await expect(eventually(() => undefined, { timeoutMs: 5, everyMs: 1 })).rejects.toThrow('still gave undefined')
    expect(await eventually(() => 0)).toBe(0)
    expect(await eventually(() => '')).toBe('')
  })
})
