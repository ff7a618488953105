import { describe, expect, test } from '@jest/globals'
import { newEventId } from '@ariftly/events'
import type { HistoryPartition, HistoryRow } from '../history/read-history-page.ts'
import { mergeHistory } from './history-page.ts'

const START_MS = Date.UTC(2026, 10, 25)

function row(offset: number, second: number): HistoryRow {
  const id = newEventId(START_MS + second * 1000)
  const data = Buffer.from('{}')
  return { offset, id, type: 'task.progress', taskId: 't', sessionId: null, agent: null, appendedAtMs: START_MS, data }
}

function page(nextOffset: number, rows: readonly HistoryRow[], readTo = nextOffset): HistoryPartition {
  return { nextOffset, readTo, rows, matching: rows.length, cutId: readTo < nextOffset ? rows.at(-1)?.id : undefined }
}

function merge(pages: ReadonlyMap<number, HistoryPartition>, position: Float64Array): string[] {
  const shown: string[] = []
  mergeHistory(pages, position, ({ offset }, partition) => shown.push(`${partition}:${offset}`))
  return shown
}

describe('a page of history', () => {
  test('is shown in the order of time over partitions, and in log order within one', () => {
    const position = new Float64Array(2)
    const pages = new Map([
      [0, page(9, [row(0, 5), row(1, 1), row(7, 6)])],
      [1, page(4, [row(2, 2), row(3, 9)])],
    ])
    expect(merge(pages, position)).toEqual(['1:2', '0:0', '0:1', '0:7', '1:3'])
    expect([...position]).toEqual([9, 4])
  })

  test('that was cut in one partition leaves later rows of others for the next page', () => {
    const position = new Float64Array(2)
    const pages = new Map([
      [0, page(100, [row(0, 1), row(1, 2)], 2)],
      [1, page(8, [row(3, 2.5), row(5, 3)])],
    ])
    expect(merge(pages, position)).toEqual(['0:0', '0:1'])
    expect([...position]).toEqual([2, 3])
  })

  test('without rows moves the position to the end of the scanned range, never back', () => {
    const position = Float64Array.of(5, 50)
    expect(
      merge(
        new Map([
          [0, page(9, [])],
          [1, page(40, [])],
        ]),
        position,
      ),
    ).toEqual([])
    expect([...position]).toEqual([9, 50])
  })
})
