import { describe, expect, test } from '@jest/globals'
import { createKeyring, generateEncryptionKey } from '@ariftly/keyring'
import { Subscriber, type Sink } from '../hub/subscriber.ts'
import { openingFrame } from '../frames/control-frames.ts'
import { streamFilter } from '../hub/filter.ts'
import { unchunk } from '../frames/frames.ts'
import { TenantTurns } from '@ariftly/fairness'
import { UnsentBudget } from '../hub/unsent-budget.ts'
import { Hub } from '../hub/hub.ts'
import { createStreamIds } from '@ariftly/http'
import { Heartbeats, TICK_MS } from './heartbeats.ts'

const HEARTBEAT_MS = 15_000

/** One live client, a clock, and what became of the client. */
function setUp(o: { readonly expiresAtMs?: number } = {}) {
  const blocks: Buffer[] = []
  const ends: string[] = []
  const state = { nowMs: 0, unsent: 0, sent: 0, ticks: [] as (() => void)[] }
  const sink: Sink = {
    write(block) {
      blocks.push(block)
      return state.unsent
    },
    unsentBytes: () => state.unsent,
    hasRoom: () => true,
    sentBytes: () => state.sent,
    end: () => void ends.push('end'),
    destroy: () => void ends.push('destroy'),
  }
  const budget = new UnsentBudget(1e9)
  const hub = new Hub({
    epoch: 1,
    start: new Float64Array(2),
    fromOrigin: [true, true],
    ids: createStreamIds(createKeyring(generateEncryptionKey('k'))),
    ringBytesMax: 1e6,
    idsMax: 10,
    unsentBytesMax: 1e6,
    unprojectedIdsMax: 100,
    budget,
    historyTurns: new TenantTurns({ concurrencyMax: 1 }),
    readHistory: async () => ({ partitions: new Map(), isLarge: false }),
    closeStream: (subscriber, why) => heartbeats.close(subscriber, why),
    lookUps: { lookUp: async () => new Set<number>(), newestTimes: async () => new Map(), onOpened: () => undefined },
    now: () => state.nowMs,
    schedule: (run) => void state.ticks.push(run),
  })
  const heartbeats = new Heartbeats({
    hub: () => hub,
    budget,
    heartbeatMs: HEARTBEAT_MS,
    now: () => state.nowMs,
    onEnded: (_client, why) => void ends.push(why),
  })
  const filter = streamFilter('acme', {}, false)
  const client = new Subscriber({
    filter,
    sink,
    keyId: 'k',
    partitions: 2,
    nowMs: 0,
    expiresAtMs: o.expiresAtMs ?? null,
  })
  heartbeats.add(client)
  hub.begin(client, new Float64Array(2), openingFrame(1000, undefined))
  for (const tick of state.ticks.splice(0)) tick()
  blocks.splice(0)

  function turn(seconds: number): void {
    for (let second = 0; second < seconds; second += 1) {
      state.nowMs += TICK_MS
      heartbeats.tick()
    }
  }

  return { state, hub, client, blocks, ends, turn }
}

describe('an idle stream', () => {
  test('gets a comment and one line feed every 15 seconds, and no timer of its own', () => {
    const { turn, blocks, client } = setUp()
    expect(client.phase).toBe('live')
    turn(14)
    expect(blocks).toHaveLength(0)
    turn(16)
    expect(blocks.map((block) => unchunk(block).toString())).toEqual([':\n', ':\n'])
  })

  test('gets its position once a minute when the log has moved on, and only then', () => {
    const { turn, blocks, hub } = setUp()
    hub.append({ partition: 1, records: [], wanted: new Map(), filterVersion: -1, nextOffset: 500 })
    turn(120)
    const texts = blocks.map((block) => unchunk(block).toString())
    expect(texts).toHaveLength(8)
    expect(texts.filter((text) => text.startsWith('event: stream.checkpoint\n'))).toHaveLength(1)
  })

  test('gets a comment in place of its position while frames wait for the streams of its filter, which are not written for it', () => {
    const { turn, blocks, hub, client } = setUp()
    hub.append({ partition: 1, records: [], wanted: new Map(), filterVersion: -1, nextOffset: 500 })
    client.group?.pending.push(Buffer.from('frame'))
    turn(60)
    expect(blocks.map((block) => unchunk(block).toString())).toEqual([':\n', ':\n', ':\n', ':\n'])
  })

  test('ends with its position in the second in which its key or token expires', () => {
    const { turn, ends, blocks, hub } = setUp({ expiresAtMs: 20_000 })
    hub.append({ partition: 1, records: [], wanted: new Map(), filterVersion: -1, nextOffset: 500 })
    turn(19)
    expect(ends).toEqual([])
    turn(1)
    expect(ends).toEqual(['expired', 'end'])
    expect(unchunk(blocks.at(-1) ?? Buffer.alloc(0)).toString()).toMatch(/^event: stream\.checkpoint\n/)
  })

  test('is destroyed when it has expired and its client does not take the last bytes', () => {
    const { turn, ends, state } = setUp({ expiresAtMs: 20_000 })
    state.unsent = 100
    turn(20)
    expect(ends).toEqual(['expired', 'end'])
    turn(6)
    expect(ends).toEqual(['expired', 'end', 'destroy'])
    turn(60)
    expect(ends.filter((end) => end === 'expired')).toHaveLength(1)
  })
})

describe('a stream whose client reads nothing', () => {
  test('is given all 30 seconds when it was idle for long before', () => {
    const { turn, ends, state } = setUp()
    state.sent = 5000
    turn(600)
    state.unsent = 1000
    turn(44)
    expect(ends).toEqual([])
    turn(2)
    expect(ends.slice(0, 2)).toEqual(['stalled', 'destroy'])
  })

  test('is cut after 30 seconds, and not while it still takes something', () => {
    const { turn, ends, state, blocks } = setUp()
    state.unsent = 1000
    turn(29)
    state.sent += 10
    turn(30)
    expect(ends).toEqual([])
    turn(30)
    expect(ends.slice(0, 2)).toEqual(['stalled', 'destroy'])
    expect(blocks).toHaveLength(0)
  })
})
