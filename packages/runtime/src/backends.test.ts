import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { eventually } from '@ariftly/testkit'
import { createBackends, type Backends } from './backends.ts'
import { createMetrics, type Metrics } from './metrics.ts'

const PROBE_AFTER_MS = 4

let metrics: Metrics
let backends: Backends
/** The clock of the backends; their pauses are real. */
let nowMs: number
let probes: number
/** What the next probes get: an answer, a failure, or neither. */
let outcome: 'answer' | 'failure' | 'silence'
let end: () => void

beforeEach(async () => {
  metrics = createMetrics()
  nowMs = 50_000
  probes = 0
  outcome = 'answer'
  backends = createBackends({ metrics, log: { warn() {} }, now: () => nowMs, probeAfterMs: PROBE_AFTER_MS })
  end = backends.kafka.watch(async () => {
    probes += 1
    if (outcome === 'failure') throw new Error('connection refused')
    if (outcome === 'silence') await new Promise(() => {})
  })
  await eventually('the first probe', () => probes === 1)
})
afterEach(() => end())

/** Makes the next question due, and resolves when it was asked. */
async function ask(): Promise<void> {
  const before = probes
  nowMs += PROBE_AFTER_MS
  await eventually('a probe', () => probes > before)
}

async function gauge(backend: string): Promise<number | undefined> {
  const value = new RegExp(`^ariftly_backend_up\\{backend="${backend}"\\} (\\d)$`, 'm').exec(
    await metrics.render(),
  )?.[1]
  return value === undefined ? undefined : Number(value)
}

test('a backend that is not watched has no metric', async () => {
  expect([await gauge('kafka'), await gauge('redis')]).toEqual([1, undefined])
})

test('a backend is asked when nobody else got an answer, and not otherwise', async () => {
  for (let round = 0; round < 5; round += 1) {
    nowMs += PROBE_AFTER_MS - 1
    backends.kafka.answered()
    await new Promise((resolve) => setTimeout(resolve, PROBE_AFTER_MS))
  }
  expect(probes).toBe(1)
  await ask()
  await ask()
  expect([backends.kafka.state, await gauge('kafka')]).toEqual(['ok', 1])
})

test('one that fails every question is unavailable 10 s after the first, says why, and is back with its first answer', async () => {
  outcome = 'failure'
  await ask()
  nowMs += 9_999
  expect([backends.kafka.state, await gauge('kafka')]).toEqual(['ok', 1])
  nowMs += 1
  expect([backends.kafka.state, await gauge('kafka')]).toEqual(['no answer for 10 s: connection refused', 0])
  outcome = 'answer'
  await eventually('it is up', async () => (await gauge('kafka')) === 1)
  expect(backends.kafka.state).toBe('ok')
})

test('one that leaves a question open is unavailable after 10 s, and back when it answers another one', async () => {
  outcome = 'silence'
  await ask()
  nowMs += 10_000
  expect([backends.kafka.state, await gauge('kafka')]).toEqual(['no answer for 10 s', 0])
  backends.kafka.answered()
  expect([backends.kafka.state, await gauge('kafka')]).toEqual(['ok', 1])
})

test('a pause in which nothing was asked is not taken for silence', async () => {
  nowMs += 60_000
  expect(await gauge('kafka')).toBe(1)
})
