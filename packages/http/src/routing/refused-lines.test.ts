import { afterEach, beforeEach, expect, jest, test } from '@jest/globals'
import { createRefusedLines, type RequestLine } from './refused-lines.ts'

beforeEach(() => {
  jest.useFakeTimers()
})

afterEach(() => {
  jest.useRealTimers()
})

function refusedLines() {
  const lines: RequestLine[] = []
  return { lines, note: createRefusedLines((line) => lines.push(line)) }
}

test('the first refusal of a key is logged immediately, later ones once a second with their number', () => {
  const { lines, note } = refusedLines()
  for (const [at, duration_ms] of [3, 7, 5].entries()) note('key_a', { request_id: `r${at}`, duration_ms })
  expect(lines).toEqual([{ request_id: 'r0', duration_ms: 3, requests: 1 }])
  jest.advanceTimersByTime(1000)
  expect(lines.slice(1)).toEqual([{ request_id: 'r2', duration_ms: 7, requests: 2 }])
  note('key_a', { request_id: 'r3', duration_ms: 1 })
  expect(lines).toHaveLength(2)
  jest.advanceTimersByTime(1000)
  expect(lines.slice(2)).toEqual([{ request_id: 'r3', duration_ms: 1, requests: 1 }])
})

test('after a second without refusals of a key its next one is a first one again, and no state remains', () => {
  const { lines, note } = refusedLines()
  note('key_a', { request_id: 'r0', duration_ms: 1 })
  note('key_b', { request_id: 'r1', duration_ms: 1 })
  expect(lines).toHaveLength(2)
  jest.advanceTimersByTime(1000)
  expect(jest.getTimerCount()).toBe(0)
  note('key_a', { request_id: 'r2', duration_ms: 1 })
  expect(lines).toHaveLength(3)
})
