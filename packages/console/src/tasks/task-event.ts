import type { EventDelivery, ListedDelivery, QueriedEvent } from '@ariftly/sdk'

/** An event of a task with what became of it. */
export interface TaskEvent {
  readonly event: QueriedEvent
  /** Deliveries whose attempts are known. */
  readonly listed: readonly ListedDelivery[]
  /** The rest of its deliveries. */
  readonly others: readonly EventDelivery[]
}

/** Adds deliveries with attempts to their events. */
export function taskEventsOf(
  events: readonly QueriedEvent[],
  deliveries: readonly ListedDelivery[],
): readonly TaskEvent[] {
  const byEvent = new Map<string, ListedDelivery[]>()
  for (const delivery of deliveries) {
    const known = byEvent.get(delivery.event_id)
    if (known === undefined) byEvent.set(delivery.event_id, [delivery])
    else known.push(delivery)
  }
  return events.map((event) => {
    const listed = byEvent.get(event.id) ?? []
    const ids = new Set(listed.map(({ id }) => id))
    return { event, listed, others: (event.deliveries ?? []).filter(({ id }) => !ids.has(id)) }
  })
}

/** The times between which the deliveries of a page of events began, with room for clocks that differ; no end for the newest page. */
export function deliveryTimesOf(
  events: readonly QueriedEvent[],
  isNewest: boolean,
): { readonly after?: string; readonly before?: string } {
  const times = events.flatMap(({ log }) => (log === undefined ? [] : [Date.parse(log.appended_at)]))
  if (times.length === 0) return {}
  const after = new Date(Math.min(...times) - ROOM_MS).toISOString()
  return isNewest ? { after } : { after, before: new Date(Math.max(...times) + ROOM_MS).toISOString() }
}

const ROOM_MS = 60_000
