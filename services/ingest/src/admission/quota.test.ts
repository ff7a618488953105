import { describe, expect, test } from '@jest/globals'
import type { Caller, Problem } from '@ariftly/http'
import { sampleCaller } from '@ariftly/testkit'
import { createQuotas, type Admission } from './quota.ts'

let nowMs = 0

function callerWith(eventsPerS: number | null, bytesPerS: number | null, keyId = 'key_1'): Caller {
  return sampleCaller({ keyId, scopes: ['events:write'], quota: { eventsPerS, bytesPerS } })
}

function quotasOf(shares = 1) {
  nowMs = 0
  return createQuotas({ shares: () => shares, now: () => nowMs })
}

/** With a limit of the tenant and a quota of the key. */
function limited(tenantPerS: number, keyPerS: number | null, keyId: string): Caller {
  const caller = callerWith(keyPerS, null, keyId)
  return { ...caller, limits: { ...caller.limits, eventsPerS: tenantPerS } }
}

const UNKNOWN: Admission = { headers: {}, refusal: undefined }

function refusalOf({ refusal }: Admission): Problem {
  if (refusal === undefined) throw new Error('let in')
  return refusal
}

/** The refusal of a post that follows a batch: a full bucket takes any batch, and owes the rest. */
function refusedBy(caller: Caller, events: number, bytes: number): string | undefined {
  const quotas = quotasOf()
  quotas.charge(caller, { events, bytes, declaredBytes: 0 })
  return refusalOf(quotas.admit(caller, 1)).details.detail
}

describe('quotas', () => {
  test('a key without quota gets no headers and is never refused', () => {
    const quotas = quotasOf()
    const caller = callerWith(null, null)
    quotas.charge(caller, { events: 1e9, bytes: 1e12, declaredBytes: 0 })
    expect(quotas.admit(caller, 0)).toEqual({ headers: {}, refusal: undefined })
  })

  test('keep the average rate: what a batch takes above the bucket is refilled first', () => {
    const quotas = quotasOf()
    const caller = callerWith(100, null)
    quotas.admit(caller, 0)
    quotas.charge(caller, { events: 1000, bytes: 1, declaredBytes: 0 })
    const { headers, refusal } = quotas.admit(caller, 0)
    expect(refusal).toMatchObject({ status: 429, code: 'quota_exceeded', details: { refusedKey: 'key_1' } })
    expect(refusal?.details.headers).toEqual({ 'Retry-After': '10' })
    expect(headers['RateLimit']).toBe('"events";r=0;t=10')
    nowMs = 8990
    refusalOf(quotas.admit(caller, 0))
    nowMs = 9020
    expect(quotas.admit(caller, 0).headers['RateLimit']).toBe('"events";r=1;t=1')
  })

  test('accept, of a flood of ten seconds, what ten seconds allow and one burst', () => {
    const quotas = quotasOf()
    const caller = callerWith(1000, null)
    let taken = 0
    for (; nowMs < 10_000; nowMs += 1) {
      if (quotas.admit(caller, 0).refusal !== undefined) continue
      if (quotas.charge(caller, { events: 20, bytes: 1, declaredBytes: 0 }).refusal === undefined) taken += 20
    }
    expect(taken).toBeGreaterThanOrEqual(10_900)
    expect(taken).toBeLessThanOrEqual(11_100)
  })

  test('accept one of several batches that are each larger than a second allows, and say when the next one is accepted', () => {
    const quotas = quotasOf()
    const caller = callerWith(10, null)
    const heads = Array.from({ length: 5_000 }, () => quotas.admit(caller, 0))
    const admitted = heads.filter(({ refusal }) => refusal === undefined)
    expect(admitted).toHaveLength(10)
    const bodies = admitted.map(() => quotas.charge(caller, { events: 1000, bytes: 1, declaredBytes: 0 }))
    expect(bodies.filter(({ refusal }) => refusal === undefined)).toHaveLength(1)
    // Full in 0.9 s, but for the one event that this request had reserved.
    expect(refusalOf(bodies[0] ?? UNKNOWN).details.headers?.['Retry-After']).toBe('1')
    nowMs = 98_990
    expect(refusalOf(quotas.admit(caller, 0)).details.headers?.['Retry-After']).toBe('1')
    nowMs = 99_990
    expect(quotas.admit(caller, 0).refusal).toBeUndefined()
    expect(refusalOf(quotas.charge(caller, { events: 1000, bytes: 1, declaredBytes: 0 }))).toMatchObject({
      status: 429,
    })
    nowMs = 100_000
    expect(quotas.admit(caller, 0).refusal).toBeUndefined()
    expect(quotas.charge(caller, { events: 1000, bytes: 1, declaredBytes: 0 }).refusal).toBeUndefined()
  })

  test('say what is left after the request: nothing after one of the whole quota', () => {
    const quotas = quotasOf()
    const post = (caller: Caller, events: number, bytes: number): string | undefined => {
      const admitted = quotas.admit(caller, bytes)
      return { ...admitted.headers, ...quotas.charge(caller, { events, bytes, declaredBytes: bytes }).headers }[
        'RateLimit'
      ]
    }
    expect(post(callerWith(10, 1000), 10, 1000)).toBe('"events";r=0;t=1, "bytes";r=0;t=1')
    expect(post(callerWith(1, null, 'key_2'), 1, 50)).toBe('"events";r=0;t=1')
    expect([2, 2, 2].map((events) => post(callerWith(5, null, 'key_3'), events, 1))).toEqual([
      '"events";r=3;t=1',
      '"events";r=1;t=1',
      '"events";r=0;t=1',
    ])
    // A batch above the quota leaves a debt, which is shown as nothing.
    expect(post(callerWith(10, null, 'key_4'), 25, 1)).toBe('"events";r=0;t=3')
  })

  test('refuse a batch that is larger than what is left, which smaller ones can still use', () => {
    const quotas = quotasOf()
    const caller = callerWith(10, null)
    const post = (events: number): Admission => {
      const admission = quotas.admit(caller, 0)
      return admission.refusal === undefined ? quotas.charge(caller, { events, bytes: 1, declaredBytes: 0 }) : admission
    }
    expect(post(6).refusal).toBeUndefined()
    const refused = post(5)
    expect(refusalOf(refused).details.headers?.['Retry-After']).toBe('1')
    expect(refused.headers['RateLimit']).toBe('"events";r=0;t=1')
    expect(post(4).refusal).toBeUndefined()
    nowMs = 100
    expect(post(1).refusal).toBeUndefined()
  })

  test('do so for bytes, with or without a Content-Length', () => {
    const quotas = quotasOf()
    const caller = callerWith(null, 1000)
    expect(quotas.admit(caller, 600).refusal).toBeUndefined()
    expect(refusalOf(quotas.admit(caller, 600)).details.headers?.['Retry-After']).toBe('1')
    expect(quotas.admit(caller, 0).refusal).toBeUndefined()
    expect(quotas.charge(caller, { events: 1, bytes: 401, declaredBytes: 0 }).refusal).toBeDefined()
    expect(quotas.charge(caller, { events: 1, bytes: 400, declaredBytes: 0 }).refusal).toBeUndefined()
    nowMs = 1000
    expect(quotas.admit(caller, 5000).refusal).toBeUndefined()
    // It reserved all of it, and unpacked it is no more.
    expect(quotas.charge(caller, { events: 1, bytes: 5000, declaredBytes: 5000 }).refusal).toBeUndefined()
    expect(refusalOf(quotas.admit(caller, 1)).details.headers?.['Retry-After']).toBe('5')
  })

  test('keep what was taken above the bucket when a quota is changed, and do not refill the bucket', () => {
    const quotas = quotasOf()
    quotas.admit(callerWith(100, null), 0)
    quotas.charge(callerWith(100, null), { events: 1000, bytes: 1, declaredBytes: 0 })
    expect(quotas.admit(callerWith(90, null), 0).headers['RateLimit']).toBe('"events";r=0;t=11')
    nowMs = 1000
    expect(refusalOf(quotas.admit(callerWith(200, null), 0)).details.headers?.['Retry-After']).toBe('5')
    nowMs = 5062
    expect(quotas.admit(callerWith(200, null), 0).headers['RateLimit']).toBe('"events";r=1;t=1')
    for (let turn = 0; turn < 10; turn += 1) {
      expect(quotas.admit(callerWith(100 + turn, null), 0).refusal === undefined).toBe(turn === 0)
    }
  })

  test('count bytes too, each replica its share, each key for itself', () => {
    const quotas = quotasOf(4)
    const caller = callerWith(400, 4000)
    expect(quotas.admit(caller, 0).headers).toEqual({
      'RateLimit-Policy': '"events";q=100;w=1, "bytes";q=1000;w=1;qu="content-bytes"',
      RateLimit: '"events";r=99;t=1, "bytes";r=1000;t=0',
    })
    quotas.charge(caller, { events: 1, bytes: 2000, declaredBytes: 0 })
    expect(refusalOf(quotas.admit(caller, 0)).details.headers?.['Retry-After']).toBe('2')
    expect(quotas.admit(callerWith(400, 4000, 'key_2'), 0).headers['RateLimit']).toBe(
      '"events";r=99;t=1, "bytes";r=1000;t=0',
    )
  })

  test('let the tighter of key and tenant decide, and the headers show it; a tenant has one bucket for all its keys', () => {
    const quotas = quotasOf()
    const one = limited(100, 1000, 'key_1')
    const other = limited(100, null, 'key_2')
    expect(quotas.admit(one, 0).headers['RateLimit-Policy']).toBe('"events";q=100;w=1')
    quotas.charge(one, { events: 101, bytes: 1, declaredBytes: 0 })
    refusalOf(quotas.admit(one, 0))
    refusalOf(quotas.admit(other, 0))
    nowMs = 1000
    expect(quotas.admit(other, 0).headers['RateLimit']).toBe('"events";r=98;t=1')
    const tight = limited(100, 10, 'key_3')
    expect(quotas.admit(tight, 0).headers['RateLimit-Policy']).toBe('"events";q=10;w=1')
  })

  test('a refusal says whether the key or the tenant has too little, and of what', () => {
    const rest = 'has too little left for this request.'
    expect(refusedBy(limited(1000, 1, 'key_1'), 500, 0)).toBe(`The quota of events of this API key ${rest}`)
    expect(refusedBy(limited(1, 1000, 'key_1'), 500, 0)).toBe(`The limit of events of the tenant ${rest}`)
    expect(refusedBy(limited(1, null, 'key_1'), 500, 0)).toBe(`The limit of events of the tenant ${rest}`)
    expect(refusedBy(callerWith(1000, 10), 500, 9_000)).toBe(`The quota of bytes of this API key ${rest}`)
  })

  test('follow the number of processes that share them', () => {
    let shares = 1
    nowMs = 0
    const quotas = createQuotas({ shares: () => shares, now: () => nowMs })
    const caller = callerWith(100, null)
    expect(quotas.admit(caller, 0).headers['RateLimit']).toBe('"events";r=99;t=1')
    shares = 2
    expect(quotas.admit(caller, 0).headers['RateLimit']).toBe('"events";r=49;t=1')
    quotas.charge(caller, { events: 50, bytes: 1, declaredBytes: 0 })
    shares = 1
    nowMs = 500
    expect(quotas.admit(caller, 0).headers['RateLimit']).toBe('"events";r=49;t=1')
  })

  test('forget keys that were not used for long, but not what they took above the bucket', () => {
    const quotas = quotasOf()
    const debtor = callerWith(1, null, 'key_debtor')
    quotas.admit(debtor, 0)
    quotas.charge(debtor, { events: 1000, bytes: 1, declaredBytes: 0 })
    nowMs = 200_000
    quotas.admit(callerWith(1, null, 'key_other'), 0)
    refusalOf(quotas.admit(debtor, 0))
  })
})
