import type { Subscriber } from './subscriber.ts'
import { HEARTBEAT } from '../frames/frames.ts'
import type { Hub } from './hub.ts'

/** Pause between two turns of the heartbeats, ms. */
export const TURN_MS = 1000

/** What {@link createHeartbeats} needs. */
export interface HeartbeatsOptions {
  readonly hub: () => Hub | undefined
  readonly heartbeatMs: number
  readonly stallMs: number
  now(): number
  /** Why a stream was ended here. */
  onEnded(client: Subscriber, why: 'stalled' | 'expired' | 'held'): void
}

/** One timer for all streams. */
export interface Heartbeats {
  add(client: Subscriber): void
  remove(client: Subscriber): void
  /** To be called every {@link TURN_MS}. */
  turn(): void
}

/** Every how many heartbeats a stream that got no event gets its position. */
const CHECKPOINT_EVERY = 4
/** Time for the last bytes of a stream whose credential has expired, ms. */
const LAST_BYTES_MS = 5000

/**
 * Heartbeats, checkpoints and stalled sockets of all streams: each client is in one slot and each turn visits one slot, so
 * that the work of a heartbeat period is spread over it and no client has a timer. Streams whose key or token expires are
 * also listed by the second in which they end.
 */
export function createHeartbeats(o: HeartbeatsOptions): Heartbeats {
  const slots = Array.from({ length: Math.max(1, Math.round(o.heartbeatMs / TURN_MS)) }, () => new Set<Subscriber>())
  const slotOf = new WeakMap<Subscriber, Set<Subscriber>>()
  /** Clients to end, by the second of the clock in which that is due. */
  const deadlines = new Map<number, Set<Subscriber>>()
  const deadlineOf = new WeakMap<Subscriber, number>()
  /** Expired: only the last bytes are still to be sent. */
  const ending = new WeakSet<Subscriber>()
  let second = Math.floor(o.now() / 1000)
  let next = 0
  let turns = 0

  function add(client: Subscriber): void {
    // The slot that was visited last: the first heartbeat comes after a whole period.
    const slot = slots[(next + slots.length - 1) % slots.length]
    slot?.add(client)
    if (slot !== undefined) slotOf.set(client, slot)
    if (client.expiresAtMs < Infinity) addDeadline(client, client.expiresAtMs)
  }

  function addDeadline(client: Subscriber, atMs: number): void {
    const due = Math.max(second + 1, Math.ceil(atMs / 1000))
    const clients = deadlines.get(due)
    if (clients === undefined) deadlines.set(due, new Set([client]))
    else clients.add(client)
    deadlineOf.set(client, due)
  }

  function remove(client: Subscriber): void {
    slotOf.get(client)?.delete(client)
    const due = deadlineOf.get(client)
    if (due === undefined) return
    const clients = deadlines.get(due)
    clients?.delete(client)
    if (clients?.size === 0) deadlines.delete(due)
  }

  /** Ends the streams that have expired; destroys those that did not take their last bytes. */
  function expire(nowMs: number): void {
    for (; second < Math.floor(nowMs / 1000); second += 1) {
      const due = deadlines.get(second + 1)
      deadlines.delete(second + 1)
      for (const client of due ?? []) {
        if (ending.has(client)) client.sink.destroy()
        else finish(client, nowMs)
      }
    }
  }

  function finish(client: Subscriber, nowMs: number): void {
    const checkpoint = o.hub()?.checkpoint(client)
    if (checkpoint !== undefined) client.sink.write(checkpoint)
    ending.add(client)
    addDeadline(client, nowMs + LAST_BYTES_MS)
    end(client, 'expired')
  }

  function turn(): void {
    const slot = slots[next]
    next = (next + 1) % slots.length
    turns += 1
    const withCheckpoint = Math.floor(turns / slots.length) % CHECKPOINT_EVERY === CHECKPOINT_EVERY - 1
    const nowMs = o.now()
    expire(nowMs)
    for (const client of slot ?? []) if (!ending.has(client)) visit(client, nowMs, withCheckpoint)
  }

  /** Of an idle stream little is looked at and nothing written down: what it has in memory is in no cache any more. */
  function visit(client: Subscriber, nowMs: number, withCheckpoint: boolean): void {
    const isWaiting = client.sink.unsentBytes() > 0
    if (isWaiting && isStalled(client, nowMs)) return end(client, 'stalled')
    if (client.phase === 'held' && client.slow && nowMs - client.heldSinceMs >= o.stallMs) return end(client, 'held')
    // What waits for the client already keeps the connection alive.
    if (isWaiting) return
    if (client.takenBytes !== 0) client.takenBytes = 0
    const checkpoint = withCheckpoint || client.phase === 'history' ? o.hub()?.checkpoint(client) : undefined
    if (client.phase !== 'closed') client.sink.write(checkpoint ?? HEARTBEAT)
  }

  /** Something waits for the client: whether nothing of it was taken for long. */
  function isStalled(client: Subscriber, nowMs: number): boolean {
    const takenBytes = client.sink.sentBytes()
    if (takenBytes <= client.takenBytes) return nowMs - client.takenAtMs >= o.stallMs
    client.takenBytes = takenBytes
    client.takenAtMs = nowMs
    return false
  }

  function end(client: Subscriber, why: 'stalled' | 'expired' | 'held'): void {
    o.onEnded(client, why)
    if (why === 'stalled') client.sink.destroy()
    else client.sink.end()
  }

  return { add, remove, turn }
}
