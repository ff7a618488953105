import { expect, test } from '@jest/globals'
import { decodeRecord, newEventId, partitionOf } from '@ariftly/events'
import { createRequestContext, Problem } from '@ariftly/http'
import type { EventProducer, PartitionOutcome, ProducerRecord } from '@ariftly/kafka'
import { createRandom, randomSeed, sampleCaller } from '@ariftly/testkit'
import { MemoryBudget, type MemoryLease } from '../admission/memory-budget.ts'
import { createQuotas } from '../admission/quota.ts'
import type { EntryResult } from '../request/answer.ts'
import { createClockSkew, watchClocks } from './clock-skew.ts'
import { createEventLog } from './event-log.ts'
import { createPostPipeline } from '../request/post-pipeline.ts'
import { ValidationQueue } from '../request/validation-queue.ts'

const PARTITIONS = 6
const MINUTE = 60_000
const START_MS = 1_700_000_000_000
const CALLER = sampleCaller({ quota: { eventsPerS: 1e6, bytesPerS: 1e9 } })

interface Posted {
  readonly id: string | undefined
  readonly task: string
}

/** An ingest whose clock, and the clocks of the two simulated brokers that lead its partitions, are set by the test. */
function startIngest() {
  /** How far each clock is ahead of the true time. */
  const ahead = { ingest: 0, even: 0, odd: 0 }
  const events = new Set<string>()
  let trueMs = START_MS
  const skew = createClockSkew({ wall: () => trueMs + ahead.ingest, monotonic: () => trueMs })

  const send: EventProducer['send'] = async (records, o = {}) => {
    const partitions = new Map<number, PartitionOutcome>()
    for (const partition of new Set(records.map((record) => record.partition))) {
      const leader = partition % 2
      const appendedAtMs = trueMs + (leader === 0 ? ahead.even : ahead.odd)
      for (const record of records) if (record.partition === partition) read(record, appendedAtMs)
      const outcome: PartitionOutcome = { type: 'written', baseOffset: 0, appendedAtMs, leader }
      partitions.set(partition, outcome)
      o.onOutcome?.(partition, outcome)
    }
    return { partitions, ok: true }
  }

  function read({ partition, key, value, headers }: ProducerRecord, timestampMs: number): void {
    const raw = { partition, offset: 0, timestampMs, key: Buffer.from(String(key)), value, headers: { ...headers } }
    const decoded = decodeRecord(raw, PARTITIONS)
    if (decoded.kind === 'event') events.add(decoded.event.id)
    else expect(decoded.reason).toBe('id_out_of_window')
  }

  const log = createEventLog({
    producer: watchClocks({ send }, skew),
    breaker: {
      admit: () => true,
      stateOf: () => 'closed',
      isTrial: () => false,
      sendBegan: () => {},
      sendEnded: () => {},
    },
    forecast: (partition, idTimes) => skew.forecast(partition % 2, idTimes),
    partitions: PARTITIONS,
    timeoutMs: 1_000,
    lingerMs: 0,
  })
  const answerPost = createPostPipeline({
    authenticator: { authenticate: () => CALLER },
    quotas: createQuotas({ shares: () => 1, now: () => trueMs }),
    budget: new MemoryBudget(2 ** 27),
    validations: new ValidationQueue(),
    log,
    isOtherLog: () => false,
    count: () => {},
    clock: skew,
    historyMs: () => 90 * 86_400_000,
  })

  async function post(posted: readonly Posted[]): Promise<readonly EntryResult[]> {
    const body = Buffer.from(
      JSON.stringify(posted.map(({ id, task }) => ({ type: 'task.created', id, task_id: task, data: { title: 't' } }))),
    )
    let lease: MemoryLease | undefined
    try {
      const answer = await answerPost(
        {
          url: '/v1/events',
          authorization: undefined,
          content: () => ({ kind: 'json', encoding: 'identity' }),
          declaredBytes: body.length,
          readBody: () => body,
        },
        { context: createRequestContext(undefined, undefined), setHeaders() {}, hold: (held) => (lease = held) },
      )
      if (answer instanceof Problem) throw answer
      return (JSON.parse(answer.body) as { data: EntryResult[] }).data
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'clock_skew') throw error
      return error.details.extra?.['events'] as EntryResult[]
    } finally {
      lease?.release()
    }
  }

  return {
    ahead,
    events,
    skew,
    post,
    trueMs: () => trueMs,
    pass(ms: number) {
      trueMs += ms
    },
  }
}

function taskOf(leader: number): string {
  for (let number = 0; ; number += 1) if (partitionOf(`acme/t${number}`, PARTITIONS) % 2 === leader) return `t${number}`
}

test('a broker whose clock is set back eleven minutes: nothing is accepted that is no event, and both brokers are written to', async () => {
  const ingest = startIngest()
  const [even, odd] = [taskOf(0), taskOf(1)]
  const fresh = (): readonly Posted[] => [even, odd].map((task) => ({ id: undefined, task }))
  expect((await ingest.post(fresh())).map(({ status }) => status)).toEqual(['accepted', 'accepted'])
  ingest.ahead.even = -11 * MINUTE
  for (let round = 0; round < 3; round += 1) {
    ingest.pass(50)
    const [first, second] = await ingest.post(fresh())
    expect([first?.status, second?.status]).toEqual(['retry', 'accepted'])
    const id = first?.status === 'retry' ? first.id : undefined
    expect(await ingest.post([{ id, task: even }])).toMatchObject([{ status: 'accepted', id }])
    expect(ingest.events.has(id ?? '')).toBe(true)
  }
  const own = { id: newEventId(ingest.trueMs()), task: even }
  expect(await ingest.post([own])).toMatchObject([{ status: 'retry', id: own.id }])
  ingest.ahead.even = 0
  ingest.pass(1_000)
  expect(await ingest.post([own])).toMatchObject([{ status: 'accepted', id: own.id }])
  expect([ingest.events.has(own.id), ingest.skew.isBeyond]).toEqual([true, false])
})

test('with any jumps of clocks, each accepted record is an event, none is refused, and all are accepted in the end', async () => {
  const random = createRandom(randomSeed('wrong clocks'))
  const ingest = startIngest()
  const jumps = [-60, -11, -4, 0, 0, 0, 4, 11, 60].map((minutes) => minutes * MINUTE)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T
  let waiting: Posted[] = []

  async function postSome(): Promise<void> {
    const sent = waiting.splice(0, 20)
    const results = await ingest.post(sent)
    for (const [index, result] of results.entries()) {
      if (result.status === 'refused') throw new Error(`refused: ${JSON.stringify(result.error)}`)
      if (result.status === 'accepted') expect(ingest.events.has(result.id)).toBe(true)
      else waiting.push({ id: result.id, task: sent[index]?.task ?? '' })
    }
  }

  // So that both brokers' clocks are known. One of the three is right at any time, so that no time of a caller is ahead of all.
  await ingest.post(Array.from({ length: PARTITIONS * 4 }, (_, at) => ({ id: undefined, task: `t${at}` })))
  for (let round = 0; round < 400; round += 1) {
    ingest.pass(50)
    if (random() < 0.1) {
      const next = { ...ingest.ahead, [pick(['ingest', 'even', 'odd'] as const)]: pick(jumps) }
      if (Object.values(next).includes(0)) Object.assign(ingest.ahead, next)
    }
    for (let count = 0; count < 4; count += 1) {
      const id = random() < 0.5 ? undefined : newEventId(ingest.trueMs())
      waiting.push({ id, task: `t${Math.floor(random() * 20)}` })
    }
    await postSome()
  }
  Object.assign(ingest.ahead, { ingest: 0, even: 0, odd: 0 })
  for (let round = 0; round < 1_000 && waiting.length > 0; round += 1) {
    ingest.pass(250)
    await postSome()
  }
  expect(waiting).toEqual([])
})
