import { setImmediate } from 'node:timers/promises'
import { newEventId } from '@ariftly/events'
import { describe, expect, test } from '@jest/globals'
import { event, NOW_MS, setUp, textsOf } from './test-hub.ts'

describe('the checkpoint of a stream that has caught up', () => {
  test('is sent immediately on an idle log, and the next event follows its id', () => {
    const { hub, ids, open, append, tick } = setUp({ unsentBytesMax: 1e6, start: 7 })
    const { sink } = open('acme')
    expect(sink.liveIds).toHaveLength(1)
    expect(ids.open(sink.liveIds[0] ?? '')).toEqual({ epoch: 1, position: Float64Array.of(7) })
    append(event('acme', 'event 1'), event('other', 'event 2'))
    tick()
    const resumed = open('acme', {}, ids.open(sink.liveIds[0] ?? '')?.position[0])
    resumed.sink.unsent = 0
    hub.onWritable(resumed.subscriber)
    tick()
    expect(textsOf(resumed.sink.blocks)).toEqual(['event 1'])
  })

  test('is sent after all records that the gateway has read, and only once while the stream is live', () => {
    const { hub, ids, open, append, tick } = setUp({ unsentBytesMax: 1e6, sliceSize: { bytes: 1e6, records: 2 } })
    append(...Array.from({ length: 5 }, (_, n) => event('acme', `event ${n}`)))
    const { subscriber, sink } = open('acme', {}, 0)
    for (let turn = 0; turn < 5; turn += 1) {
      expect([sink.liveIds.length, subscriber.phase === 'live']).toEqual([0, false])
      sink.unsent = 0
      hub.onWritable(subscriber)
      tick()
      if (subscriber.phase === 'live') break
    }
    expect(textsOf(sink.blocks)).toHaveLength(5)
    expect(ids.open(sink.liveIds[0] ?? '')?.position[0]).toBe(5)
    expect(sink.blocks.at(-1)).toContain('"live":true')
    append(event('acme', 'event 5'), event('other'))
    tick()
    expect(String(hub.checkpoint(subscriber))).not.toContain('live')
    expect(sink.liveIds).toHaveLength(1)
  })

  test('is sent again each time that the stream has fallen behind', () => {
    const { hub, ids, open, append, tick } = setUp({ unsentBytesMax: 300 })
    const { subscriber, sink } = open('acme')
    for (const round of [1, 2]) {
      append(event('acme', 'x'.repeat(400)))
      tick()
      expect(subscriber.phase).toBe('overfull')
      append(event('acme', `event ${round}`))
      tick()
      expect(sink.liveIds).toHaveLength(round)
      for (let turn = 0; turn < 3; turn += 1) {
        sink.unsent = 0
        hub.onWritable(subscriber)
        tick()
      }
      expect(subscriber.phase).toBe('live')
      expect(sink.liveIds).toHaveLength(round + 1)
      expect(ids.open(sink.liveIds[round] ?? '')?.position[0]).toBe(2 * round)
      sink.unsent = 0
    }
    expect(textsOf(sink.blocks)).toEqual(['event 1', 'event 2'])
  })

  test('is not sent to a stream that is ahead of what its gateway has read', () => {
    const { hub, ids, open, append, tick } = setUp({ unsentBytesMax: 1e6 })
    const { subscriber, sink } = open('acme', {}, 2)
    tick()
    append(event('acme', 'event 0'))
    tick()
    expect([subscriber.phase, sink.liveIds]).toEqual(['aheadOfLog', []])
    sink.unsent = 0
    append(event('acme', 'event 1'), event('acme', 'event 2'))
    tick()
    expect([subscriber.phase, textsOf(sink.blocks)]).toEqual(['catchingUp', ['event 2']])
    expect(sink.liveIds).toEqual([])
    sink.unsent = 0
    hub.onWritable(subscriber)
    tick()
    expect(sink.liveIds.map((id) => ids.open(id)?.position[0])).toEqual([3])
  })

  test('is not sent to a stream that waits for the projection', async () => {
    const row = { id: newEventId(NOW_MS), type: 'task.progress', taskId: 't', sessionId: null, agent: null } as const
    const state = { projected: 2 }
    const readHistory = async () => {
      const offset = state.projected - 1
      const rows = [{ ...row, offset, appendedAtMs: NOW_MS, data: Buffer.from(`{"message":"event ${offset}"}`) }]
      const page = { nextOffset: state.projected, readTo: state.projected, cutId: undefined, matching: 1, rows }
      return { partitions: new Map([[0, page]]), isLarge: false }
    }
    const { hub, ids, open, append, tick } = setUp({ unsentBytesMax: 1e6, start: 4, readHistory })
    append(event('other'))
    const { subscriber, sink } = open('acme', {}, 1)
    async function settle(): Promise<void> {
      for (let turn = 0; turn < 20; turn += 1) {
        sink.unsent = 0
        hub.onWritable(subscriber)
        tick()
        await setImmediate()
      }
    }
    await settle()
    expect([subscriber.phase, textsOf(sink.blocks), sink.liveIds]).toEqual(['waitingForProjection', ['event 1'], []])
    state.projected = 4
    hub.setProjected(Float64Array.of(4))
    await settle()
    expect([subscriber.phase, textsOf(sink.blocks)]).toEqual(['live', ['event 1', 'event 3']])
    expect(sink.liveIds.map((id) => ids.open(id)?.position[0])).toEqual([5])
  })
})
