import { deferred } from './deferred.ts'
import { eventually } from '@ariftly/testkit'
import { expect, test } from '@jest/globals'
import { setTimeout as delay } from 'node:timers/promises'
import { startPoll } from './start-poll.ts'

/** Enough turns of the event loop for a round that must not begin. */
const STILL_MS = 5

function setUp(outcomes: readonly ('ok' | 'fails')[]) {
  const lines: string[] = []
  const retries: number[] = []
  let rounds = 0
  const poll = startPoll({
    async step() {
      if (outcomes[rounds++] === 'fails') throw new Error('down')
    },
    everyMs: 1,
    retryMs(failures) {
      retries.push(failures)
      return 1
    },
    log: { warn: (_, message) => lines.push(message) },
    failing: 'cannot be read',
    onRecovered: () => lines.push('is read again'),
  })
  return { poll, lines, retries, rounds: () => rounds }
}

test('polls on through failures, and logs them once until a round succeeds', async () => {
  const { poll, lines, retries, rounds } = setUp(['ok', 'fails', 'fails', 'fails', 'ok', 'ok', 'fails', 'ok'])
  await eventually('9 rounds', () => rounds() >= 9)
  await poll.close()
  expect(lines).toEqual(['cannot be read', 'is read again', 'cannot be read', 'is read again'])
  expect(retries).toEqual([0, 1, 2, 0])
})

test('ends after the round that is under way, whose failure is not logged', async () => {
  const lines: string[] = []
  const closing = new AbortController()
  const round = deferred()
  let rounds = 0
  const poll = startPoll({
    async step() {
      rounds += 1
      await round.promise
      throw new Error('cut')
    },
    signal: closing.signal,
    log: { warn: (_, message) => lines.push(message) },
    failing: 'cannot be read',
  })
  closing.abort()
  round.resolve()
  await poll.ended
  expect({ rounds, lines }).toEqual({ rounds: 1, lines: [] })
})

test('polls again at once when it is woken during a pause or a poll, and ends at once during a pause', async () => {
  let rounds = 0
  let inRound = deferred()
  const poll = startPoll({
    async step() {
      rounds += 1
      await inRound.promise
    },
    everyMs: 60_000,
    log: { warn() {} },
    failing: 'cannot be read',
  })
  poll.wake()
  const first = inRound
  inRound = deferred()
  first.resolve()
  await eventually('2 rounds', () => rounds === 2)
  inRound.resolve()
  await delay(STILL_MS)
  expect(rounds).toBe(2)
  poll.wake()
  await eventually('3 rounds', () => rounds === 3)
  await poll.close()
})
