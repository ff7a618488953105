/**
 * What the faults test knows and what it saw, as plain data: the ledger of acknowledged events, and the observations
 * that the checker compares with it. Nothing here uses code of the product, so that a fault of the product cannot hide itself.
 */

/** Which events a stream or a webhook asked for; an absent member means all. */
export interface Wanted {
  readonly taskId?: string
  readonly agent?: string
  readonly types?: readonly string[]
}

/** One event as a client posts it. `data` is the exact line of JSON expected at each output. */
export interface PlannedEvent {
  readonly tenant: string
  readonly id: string
  readonly type: string
  readonly taskId: string
  readonly agent: string
  readonly data: string
}

/** An event at its place in the log, as Kafka or Postgres shows it. */
export interface PlacedEvent extends PlannedEvent {
  readonly partition: number
  readonly offset: number
}

/** One frame of a stream: the id is in `data`, as the default frame has the payload only. */
export interface StreamedEvent {
  readonly id: string
  readonly type: string
  readonly data: string
}

/** All that one stream client received, over all its connections, in order. */
export interface StreamSeen {
  readonly name: string
  readonly tenant: string
  readonly wanted: Wanted
  readonly received: readonly StreamedEvent[]
}

/** One request at the receiver. `webhookId` is the header, `eventId` the id in the signed body. */
export interface DeliverySeen {
  readonly webhookId: string
  readonly eventId: string
  readonly data: string
  readonly verified: boolean
}

/** All that one webhook subscription received. */
export interface WebhookSeen {
  readonly name: string
  readonly tenant: string
  readonly wanted: Wanted
  readonly received: readonly DeliverySeen[]
}

/** One page entry of GET /v1/events as a tenant's client read it. */
export interface ListedEvent {
  readonly tenant: string
  readonly id: string
  readonly data: string
}

/** All inputs of the checker, once the system is idle. */
export interface Observation {
  readonly acknowledged: readonly PlannedEvent[]
  readonly log: readonly PlacedEvent[]
  readonly table: readonly PlacedEvent[]
  readonly deadLetters: number
  readonly streams: readonly StreamSeen[]
  readonly webhooks: readonly WebhookSeen[]
  readonly listed: readonly ListedEvent[]
}

/** Whether the event matches the filter. */
export function isWanted(event: PlannedEvent, tenant: string, wanted: Wanted): boolean {
  if (event.tenant !== tenant) return false
  if (wanted.taskId !== undefined && event.taskId !== wanted.taskId) return false
  if (wanted.agent !== undefined && event.agent !== wanted.agent) return false
  return wanted.types === undefined || wanted.types.includes(event.type)
}
