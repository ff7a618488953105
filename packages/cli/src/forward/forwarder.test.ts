import { expect, jest, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { Forwarder, WINDOW, type ForwarderSettings } from './forwarder.ts'
import type { AttemptOutcome, ForwardedEvent, Settled } from './outcome.ts'

const event = (key: string, n: number): ForwardedEvent => ({
  id: `${key}-${n}`,
  type: 't',
  key,
  body: Buffer.from('{}'),
})

const fail = async (): Promise<AttemptOutcome> => ({ type: 'failed', status: 500, reason: 'answered 500' })
const failFirst = async ({ id }: ForwardedEvent): Promise<AttemptOutcome> =>
  id === 'a-1' ? await fail() : { type: 'delivered', status: 200 }
const hang = async () => await new Promise<AttemptOutcome>(() => undefined)

function create(changes: Partial<ForwarderSettings>): { readonly forwarder: Forwarder; readonly settled: Settled[] } {
  const settled: Settled[] = []
  const forwarder = new Forwarder({
    attempt: async () => ({ type: 'delivered', status: 200 }),
    concurrency: 4,
    attemptsMax: 2,
    retryMs: () => 1,
    onGivenUp: async () => undefined,
    onSettled: (each) => settled.push(each),
    ...changes,
  })
  return { forwarder, settled }
}

test('the position stays before an event that is under way when later ones end', async () => {
  const ends: ((outcome: AttemptOutcome) => void)[] = []
  const slow = new Promise<AttemptOutcome>((resolve) => ends.push(resolve))
  const attempt = async ({ id }: ForwardedEvent) =>
    id === 'b-1' ? await slow : ({ type: 'delivered', status: 200 } as const)
  const { forwarder } = create({ attempt })
  await forwarder.add(event('a', 1), 'p1')
  await forwarder.add(event('b', 1), 'p2')
  await forwarder.add(event('c', 1), 'p3')
  forwarder.pass('d', 'p4')
  await eventually('2 events are delivered', () => forwarder.counts.delivered === 2)
  expect(forwarder.position).toBe('p1')
  expect(forwarder.settledBehind).toEqual(['c-1', 'd'])
  ends[0]?.({ type: 'delivered', status: 200 })
  await forwarder.drained()
  expect(forwarder.position).toBe('p4')
  expect(forwarder.settledBehind).toEqual([])
})

test('a free place goes to the oldest event whose task is free', async () => {
  const tasks = Array.from({ length: 12 }, (_, at) => `t${at}`)
  const order: string[] = []
  const ends: (() => void)[] = []
  const attempt = async ({ id }: ForwardedEvent): Promise<AttemptOutcome> => {
    order.push(id)
    if (ends.length < 2) await new Promise<void>((resolve) => ends.push(resolve))
    return { type: 'delivered', status: 200 }
  }
  const { forwarder } = create({ attempt, concurrency: 2 })
  for (const key of tasks) for (let n = 0; n < 3; n += 1) await forwarder.add(event(key, n), `${key}-${n}`)
  expect(order).toEqual(['t0-0', 't1-0'])
  for (const end of ends) end()
  await forwarder.drained()
  // Two tasks at a time, in the order in which their events were taken.
  expect(order.slice(0, 6).toSorted()).toEqual(tasks.slice(0, 2).flatMap((key) => [0, 1, 2].map((n) => `${key}-${n}`)))
  expect(order.slice(-6).toSorted()).toEqual(['t10', 't11'].flatMap((key) => [0, 1, 2].map((n) => `${key}-${n}`)))
})

test('what fails waits for its retry within its task alone, and is given up after its attempts', async () => {
  const { forwarder, settled } = create({ attempt: failFirst })
  for (const n of [1, 2]) for (const key of ['a', 'b']) await forwarder.add(event(key, n), `${key}${n}`)
  await forwarder.drained()
  expect(settled.map(({ event: { id } }) => id)).toEqual(['b-1', 'b-2', 'a-1', 'a-2'])
  expect(settled.find(({ event: { id } }) => id === 'a-1')).toMatchObject({ result: 'failed', attempts: 2 })
})

test('no attempt counts while the target is down, one event at a time probes, and order holds after that', async () => {
  let isDown = true
  let [running, most, probes] = [0, 0, 0]
  const attempt = async (): Promise<AttemptOutcome> => {
    running += 1
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (forwarder.down !== undefined) {
      probes += 1
      most = Math.max(most, running)
    }
    running -= 1
    return isDown ? { type: 'unreachable', reason: 'refused' } : { type: 'delivered', status: 200 }
  }
  const { forwarder, settled } = create({ attempt, concurrency: 1, attemptsMax: 1 })
  for (const n of [1, 2, 3]) for (const key of ['a', 'b']) await forwarder.add(event(key, n), `${key}${n}`)
  await eventually('2 probes', () => probes >= 2)
  expect(forwarder.down).toMatchObject({ reason: 'refused' })
  expect(forwarder.counts).toEqual({ delivered: 0, failed: 0, inFlight: 6 })
  isDown = false
  await forwarder.drained()
  expect(forwarder.down).toBeUndefined()
  expect(most).toBe(1)
  for (const key of ['a', 'b']) {
    const own = settled.filter((each) => each.event.key === key)
    expect(own.map(({ event: { id } }) => id)).toEqual([`${key}-1`, `${key}-2`, `${key}-3`])
    expect(own.every(({ attempts }) => attempts === 1)).toBe(true)
  }
})

test('add waits while the window is full, and takes nothing once it is stopped or has failed', async () => {
  const { forwarder } = create({ attempt: hang })
  for (let n = 0; n < WINDOW.events; n += 1) await forwarder.add(event('a', n), undefined)
  expect(forwarder.isFull).toBe(true)
  const waiting = forwarder.add(event('a', -1), undefined)
  await forwarder.stop(0)
  expect(await waiting).toBe(false)
  forwarder.fail(new Error('disk full'))
  await expect(forwarder.add(event('a', -2), undefined)).rejects.toThrow('disk full')
})

test('stop ends with its timer, also when that is early by the clock', async () => {
  const { forwarder } = create({ attempt: hang })
  await forwarder.add(event('a', 1), 'p1')
  const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now())
  await forwarder.stop(10)
  clock.mockRestore()
  expect(forwarder.counts.inFlight).toBe(1)
})

test('fails when an event that is given up cannot be noted, and leaves the position before it', async () => {
  const { forwarder } = create({
    attempt: fail,
    attemptsMax: 1,
    onGivenUp: async () => Promise.reject(new Error('disk full')),
  })
  await forwarder.add(event('a', 1), 'p1')
  await expect(forwarder.drained()).rejects.toThrow('disk full')
  expect(forwarder.position).toBeUndefined()
})
