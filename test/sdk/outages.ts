import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from '@jest/globals'
import { byForm, eventually } from '@ariftly/testkit'
import type { Breakage, BreakingProxy } from './breaking-proxy.ts'
import type { SentRows } from './sent-rows.ts'

const OUTAGE_MS = byForm({ short: 700, long: 10_000 })
const SILENT_MS = byForm({ short: 3000, long: 40_000 })
/** Breakages, and how long each lasts. */
const OUTAGES: readonly (readonly [Breakage, number])[] = [
  ['unavailable', OUTAGE_MS],
  ['tooMany', OUTAGE_MS],
  ['resetBefore', OUTAGE_MS / 2],
  ['resetAfter', OUTAGE_MS / 2],
  ['silent', SILENT_MS],
  ['halfAnswer', SILENT_MS],
]

/** A sender on a bad way. */
interface Sending {
  readonly proxy: BreakingProxy
  readonly rows: SentRows
  /** Of its tasks. */
  readonly prefix: string
  readonly events: number
  /** Lets it send up to this number; it starts with that of {@link firstPart}. */
  readonly leave: (upTo: number) => void
  readonly timeoutMs: number
}

/** Each outage has a part of the events that the sender holds back until it has begun. */
function partOf(events: number): number {
  return events / (OUTAGES.length + 2)
}

/** The number at which a sender first waits. */
export function firstPart(events: number): number {
  return partOf(events) * 1.5
}

/** Breaks the way of a sender in all ways, one after the other. */
export async function breakInAllWays({ proxy, rows, prefix, events, leave, timeoutMs }: Sending): Promise<void> {
  const part = partOf(events)
  for (const [at, [how, ms]] of OUTAGES.entries()) {
    await eventually('the next part is projected', async () => (await rows.count(prefix)) >= part * (at + 1), {
      timeoutMs,
      everyMs: 100,
    })
    proxy.break(how)
    leave(at === OUTAGES.length - 1 ? events : part * (at + 2.5))
    await sleep(ms)
    await eventually(`a ${how} answer`, () => (proxy.broken[how] ?? 0) > 0)
    proxy.break('none')
  }
}

/** Waits for the rows, and expects that each number is there, once, and in order within its task. */
export async function expectAllOnce(rows: SentRows, prefix: string, events: number): Promise<void> {
  await eventually('all events are projected', async () => (await rows.count(prefix)) >= events)
  const byTask = await rows.numbersByTask(prefix)
  const numbers = [...byTask.values()].flat()
  expect(numbers.length).toBe(events)
  expect(new Set(numbers).size).toBe(events)
  for (const each of byTask.values()) expect(each).toEqual(each.toSorted((a, b) => a - b))
}
