import { expect, test } from '@jest/globals'
import fc from 'fast-check'
import { Watermark } from './watermark.ts'

test('the position is that of the last entry before which all are settled, in any order', () => {
  const orders = fc.integer({ min: 1, max: 3000 }).chain((count) =>
    fc.shuffledSubarray(
      Array.from({ length: count }, (_, at) => at),
      { minLength: count },
    ),
  )
  fc.assert(
    fc.property(orders, (order) => {
      const mark = new Watermark<number>()
      const entries = order.map((_, at) => mark.add(at))
      const open = new Set(entries.keys())
      let low = 0
      const wrong: number[] = []
      for (const at of order) {
        const entry = entries[at]
        if (entry === undefined) throw new Error('no entry')
        const before = mark.position
        const hasMoved = mark.settle(entry)
        open.delete(at)
        while (low < entries.length && !open.has(low)) low += 1
        const isRight = mark.position === (low === 0 ? undefined : low - 1) && mark.isEmpty === (open.size === 0)
        if (at % 500 === 0) {
          const behind = entries.flatMap((_, each) => (each > low && !open.has(each) ? [each] : []))
          expect(mark.settledBehind(50)).toEqual(behind.slice(0, 50))
        }
        if (!isRight || hasMoved !== (mark.position !== before)) wrong.push(at)
      }
      expect(wrong).toEqual([])
    }),
    { numRuns: 20 },
  )
})
