import { afterEach, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { originOf } from './offset-vector.ts'
import { startProjectionPoll, type ProjectionPoll } from './projection-poll.ts'

const log = { warn() {}, info() {} }
let isNeeded: boolean
let isDown: boolean
let turns: number
let reads: number
let poll: ProjectionPoll

afterEach(() => poll.close())

function start(): void {
  isNeeded = isDown = false
  turns = reads = 0
  poll = startProjectionPoll({
    async read() {
      reads += 1
      if (isDown) throw new Error('away')
      return originOf(1)
    },
    everyMs: () => 1,
    isNeeded() {
      turns += 1
      return isNeeded
    },
    onPosition() {},
    log,
  })
}

test('the position is read once while nothing needs a newer one, and at each poll as soon as something does', async () => {
  start()
  await eventually('20 turns', () => turns >= 20)
  expect(reads).toBe(1)
  isNeeded = true
  await eventually('5 reads', () => reads >= 5)
})

test('a position that could not be read is asked for at each poll, needed or not', async () => {
  start()
  await eventually('the poll says ok', () => poll.state() === 'ok')
  isNeeded = isDown = true
  await eventually('the poll says down', () => poll.state() === 'down')
  isNeeded = false
  const before = reads
  await eventually('5 more reads', () => reads >= before + 5)
  isDown = false
  await eventually('the poll says ok', () => poll.state() === 'ok')
})
