import { describe, expect, test } from '@jest/globals'
import { eventually } from './eventually.ts'

const SHORT = { timeoutMs: 5, everyMs: 1 }

describe('eventually', () => {
  test("returns the check's result once it does not throw", async () => {
    let calls = 0
    const check = () => {
      calls += 1
      if (calls < 3) throw new Error('not yet')
      return calls
    }
    expect(await eventually('3 calls', check, { everyMs: 1 })).toBe(3)
  })

  test('says the condition and the last error of the check when the time is over', async () => {
    let calls = 0
    const check = () => {
      calls += 1
      throw new Error(`never, ${calls}`)
    }
    await expect(eventually('an answer', check, SHORT)).rejects.toThrow(
      /^Waited for: an answer\. After 5 ms the check still failed: never, [2-9]/,
    )
  })

  test('takes false and undefined for "not yet", and zero and the empty text for an answer', async () => {
    await expect(eventually('true', () => false, SHORT)).rejects.toThrow(
      'Waited for: true. After 5 ms the check still gave false',
    )
    await expect(eventually('a value', () => undefined, SHORT)).rejects.toThrow('the check still gave undefined')
    expect(await eventually('a number', () => 0)).toBe(0)
    expect(await eventually('a text', () => '')).toBe('')
  })
})
