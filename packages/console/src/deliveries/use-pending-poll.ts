import { useRef } from 'react'

/** Delays between two questions. */
const POLL_MS = { first: 2_000, max: 15_000, growth: 1.5 } as const

/**
 * When to ask again for deliveries: while one is pending, after 2 s and then ever more rarely; false for never. It may be called at any time: the delay
 * grows with the number of answers, `updates`.
 */
export function usePendingPoll(): (isPending: boolean, updates: number) => number | false {
  const since = useRef<number | undefined>(undefined)
  return (isPending, updates) => {
    if (!isPending) {
      since.current = undefined
      return false
    }
    since.current ??= updates
    return Math.min(POLL_MS.max, POLL_MS.first * POLL_MS.growth ** Math.max(0, updates - since.current))
  }
}
