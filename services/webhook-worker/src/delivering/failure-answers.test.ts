import { expect, test } from '@jest/globals'
import type { AttemptOutcome } from '@ariftly/store/deliveries'
import { FailureAnswers } from './failure-answers.ts'

const BODY_BYTES = 16 * 1024
const STEP = { state: 'pending', counts: true } as const

function failure(tenant: string, type: 'failed' | 'delivered' = 'failed'): AttemptOutcome {
  const times = { startedAtMs: 0, dnsMs: 0, connectMs: 0, tlsMs: null, firstByteMs: 1, totalMs: 1 }
  const answer = { responseHeaders: null, responseBody: Buffer.alloc(BODY_BYTES) }
  const record = { ...times, ...answer, address: null, status: 500, errorClass: 'http_5xx', errorDetail: null }
  const of = {
    deliveryId: 'dlv_1',
    attempt: 1,
    tenant,
    webhookId: 'whk_1',
    endpointVersion: 1,
    first: true,
    probe: false,
  }
  return { ...of, type, record, next: { whileOpen: STEP, whileFailing: STEP, dueInMs: 0 } }
}

function bodyOf(outcome: AttemptOutcome): number | undefined {
  return 'record' in outcome ? outcome.record.responseBody?.length : undefined
}

test('keeps answers to failures up to a budget a tenant, which fills up with time, and the attempts in any case', () => {
  let nowMs = 0
  const answers = new FailureAnswers(() => nowMs)
  const keep = (tenant: string) => bodyOf(answers.bound(failure(tenant)))
  const first = Array.from({ length: 300 }, () => keep('loud'))
  expect(first.filter((bytes) => bytes === BODY_BYTES)).toHaveLength(256)
  expect(first.slice(256).every((bytes) => bytes === undefined)).toBe(true)
  expect(answers.bound(failure('loud'))).toMatchObject({
    type: 'failed',
    record: { status: 500, errorClass: 'http_5xx' },
  })
  expect(keep('other')).toBe(BODY_BYTES)
  expect(bodyOf(answers.bound(failure('loud', 'delivered')))).toBe(BODY_BYTES)
  nowMs += 16_000
  expect([keep('loud'), keep('loud')]).toEqual([BODY_BYTES, undefined])
})
