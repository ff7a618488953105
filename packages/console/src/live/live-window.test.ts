import { describe, expect, test } from '@jest/globals'
import type { StreamedEvent } from '@ariftly/sdk'
import { LiveWindow, RATE_SECONDS, ROWS_MAX } from './live-window.ts'

function eventOf(number: number): StreamedEvent {
  return {
    id: `evt_${number}`,
    type: 'task.progress',
    task_id: 't',
    session_id: null,
    agent: null,
    created_at: '2026-01-31T08:00:00.000Z',
    rawData: `{"n":${number}}`,
  } as unknown as StreamedEvent
}

function filled(window: LiveWindow, from: number, count: number, nowMs = 0): LiveWindow {
  for (let number = from; number < from + count; number += 1) window.add(eventOf(number), nowMs)
  return window
}

describe('a window', () => {
  test.each([1, ROWS_MAX, ROWS_MAX + 1, ROWS_MAX + 999, ROWS_MAX + 1_000, 3 * ROWS_MAX])(
    'of %i events holds the newest, and counts all and the dropped ones',
    (count) => {
      const { rows, received, dropped } = filled(new LiveWindow(), 0, count).view(0)
      const kept = Math.min(count, ROWS_MAX)
      expect([rows.length, received, dropped]).toEqual([kept, count, count - kept])
      expect([rows[0]?.id, rows.at(-1)?.id]).toEqual([`evt_${count - kept}`, `evt_${count - 1}`])
    },
  )

  test('does not change while it is paused, and counts what arrives and what is missed', () => {
    const window = filled(new LiveWindow(), 0, 10)
    const shown = window.view(0)
    // Arrived after the last view, so it is not what the person sees when they pause.
    filled(window, 10, 1)
    window.pause()
    filled(window, 11, ROWS_MAX + 6)
    const paused = window.view(0)
    expect(paused.rows).toBe(shown.rows)
    expect([paused.rows.length, paused.cameWhilePaused, paused.missedWhilePaused]).toEqual([10, ROWS_MAX + 7, 7])
    window.resume()
    expect(window.view(0)).toMatchObject({ isPaused: false, cameWhilePaused: 0, received: ROWS_MAX + 17 })
  })

  test('counts events by whole second, and forgets seconds after a minute', () => {
    const window = filled(filled(new LiveWindow(), 0, 3, 1_000), 3, 2, 2_500)
    const { rates } = window.view(3_100).chart
    expect([rates.length, rates.at(-1), rates.at(-2)]).toEqual([RATE_SECONDS, 2, 3])
    expect(window.view(1_000 * (RATE_SECONDS + 3)).chart.rates.every((rate) => rate === 0)).toBe(true)
  })

  test('has the same chart until a second is over', () => {
    const window = new LiveWindow()
    const { chart } = window.view(1_000)
    expect(filled(window, 0, 1, 1_500).view(1_999).chart).toBe(chart)
    expect(window.view(2_000).chart).not.toBe(chart)
  })

  test('has a row for a position that could not be kept', () => {
    const window = new LiveWindow()
    window.add({ type: 'stream.reset', reason: 'log_changed', requested: null, earliest: null }, 0)
    expect(window.view(0).rows).toEqual([{ kind: 'reset', id: 'reset-1', reason: 'log_changed' }])
  })
})
