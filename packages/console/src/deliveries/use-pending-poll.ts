import type { EventDelivery } from '@ariftly/sdk'
import { useRef } from 'react'

/** Delays between two questions. */
const POLL_MS = { first: 2_000, max: 15_000, growth: 1.5 } as const

type Polled = Pick<EventDelivery, 'id' | 'status' | 'attempt_count' | 'next_attempt_at'>

/**
 * When to ask again for deliveries: while one is pending, after 2 s and then ever more rarely until a pending one changes; false for never. It may be
 * called at any time: the delay grows with the number of answers, `updates`.
 */
export function usePendingPoll(): (deliveries: readonly Polled[], updates: number) => number | false {
  const since = useRef({ pending: '', updates: 0 })
  return (deliveries, updates) => {
    const pending = deliveries
      .filter(({ status }) => status === 'pending')
      .map(({ id, attempt_count, next_attempt_at }) => `${id} ${attempt_count} ${next_attempt_at}`)
      .join()
    if (since.current.pending !== pending) since.current = { pending, updates }
    if (pending === '') return false
    return Math.min(POLL_MS.max, POLL_MS.first * POLL_MS.growth ** Math.max(0, updates - since.current.updates))
  }
}
