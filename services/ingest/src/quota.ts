import { Problem, type Caller } from '@ariftly/http'

/** Quotas per API key: token buckets in this process. */
export interface Quotas {
  /**
   * Asks whether a key may post now, and if so reserves one event and the declared bytes, so that requests that come at the same time do not
   * all pass on the last token. A request is let in while there is anything left, whatever its size; what it takes beyond that is owed, so
   * a batch larger than a second's quota passes, and the mean is kept.
   */
  admit(caller: Caller, declaredBytes: number): Admission
  /** Takes what a request was beyond what was reserved for it. */
  charge(caller: Caller, posted: Posted): void
}

/** The size of a request whose body was read. */
interface Posted {
  readonly events: number
  readonly bytes: number
  /** As given to {@link Quotas.admit}. */
  readonly declaredBytes: number
}

/** What a key is told. */
export interface Admission {
  /** Of the answer (`RateLimit`, `RateLimit-Policy`); none for a key without quota. */
  readonly headers: Readonly<Record<string, string>>
  /** A Problem 429 when one of its buckets is empty. Not thrown, as in a flood the throws cost more than the rest of this. */
  readonly refusal: Problem | undefined
}

/** What quotas need. */
export interface QuotasOptions {
  /** Processes that share each key's quota. */
  readonly shares: number
  /** Epoch or monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number
}

/** A bucket holds what comes in within this time. */
const WINDOW_S = 1
/** A key that was not used for so long is forgotten; its buckets are full by then, unless it owes more. */
const FORGET_MS = 60_000

interface Bucket {
  readonly perS: number
  left: number
}

interface KeyBuckets {
  readonly caller: Caller
  readonly events: Bucket | undefined
  readonly bytes: Bucket | undefined
  filledMs: number
}

/** Creates empty books: every key begins with full buckets. */
export function createQuotas({ shares, now = () => performance.now() }: QuotasOptions): Quotas {
  const byKey = new Map<string, KeyBuckets>()
  let sweptMs = now()

  function bucketsOf(caller: Caller): KeyBuckets | undefined {
    const { quota, keyId } = caller
    if (quota.eventsPerS === null && quota.bytesPerS === null) return undefined
    const nowMs = now()
    if (nowMs - sweptMs > FORGET_MS) forgetUnused(nowMs)
    let buckets = byKey.get(keyId)
    if (buckets === undefined || !sameQuota(buckets.caller, caller)) {
      buckets = { caller, events: full(quota.eventsPerS), bytes: full(quota.bytesPerS), filledMs: nowMs }
      byKey.set(keyId, buckets)
    }
    fill(buckets, nowMs)
    return buckets
  }

  function full(perS: number | null): Bucket | undefined {
    return perS === null ? undefined : { perS: perS / shares, left: (perS / shares) * WINDOW_S }
  }

  function forgetUnused(nowMs: number): void {
    sweptMs = nowMs
    for (const [keyId, buckets] of byKey) {
      const owes = [buckets.events, buckets.bytes].some((bucket) => bucket !== undefined && bucket.left < 0)
      if (!owes && nowMs - buckets.filledMs > FORGET_MS) byKey.delete(keyId)
    }
  }

  function admit(caller: Caller, declaredBytes: number): Admission {
    const buckets = bucketsOf(caller)
    if (buckets === undefined) return UNLIMITED
    const headers = headersOf(buckets)
    const waitS = Math.max(waitOf(buckets.events), waitOf(buckets.bytes))
    if (waitS <= 0) {
      take(buckets, 1, declaredBytes)
      return { headers, refusal: undefined }
    }
    const refusal = new Problem(429, 'quota_exceeded', {
      detail: 'The quota of this API key is used up.',
      headers: { 'Retry-After': String(Math.ceil(waitS)) },
      refusedKey: caller.keyId,
    })
    return { headers, refusal }
  }

  function charge(caller: Caller, { events, bytes, declaredBytes }: Posted): void {
    const buckets = bucketsOf(caller)
    if (buckets !== undefined) take(buckets, events - 1, Math.max(0, bytes - declaredBytes))
  }

  return { admit, charge }
}

const UNLIMITED: Admission = { headers: {}, refusal: undefined }

function take({ events: ofEvents, bytes: ofBytes }: KeyBuckets, events: number, bytes: number): void {
  if (ofEvents) ofEvents.left -= events
  if (ofBytes) ofBytes.left -= bytes
}

function sameQuota(one: Caller, other: Caller): boolean {
  return one.quota.eventsPerS === other.quota.eventsPerS && one.quota.bytesPerS === other.quota.bytesPerS
}

function fill(buckets: KeyBuckets, nowMs: number): void {
  const passedS = (nowMs - buckets.filledMs) / 1000
  if (passedS <= 0) return
  buckets.filledMs = nowMs
  for (const bucket of [buckets.events, buckets.bytes]) {
    if (bucket) bucket.left = Math.min(bucket.perS * WINDOW_S, bucket.left + passedS * bucket.perS)
  }
}

/** Seconds until anything is left; 0 if something is. */
function waitOf(bucket: Bucket | undefined): number {
  return bucket === undefined || bucket.left > 0 ? 0 : (1 - bucket.left) / bucket.perS
}

/** draft-ietf-httpapi-ratelimit-headers-10: quota `q` in window `w` seconds, remaining `r`, full again in `t` seconds. */
function headersOf({ events, bytes }: KeyBuckets): Readonly<Record<string, string>> {
  const policies: string[] = []
  const limits: string[] = []
  const add = (name: string, bucket: Bucket | undefined, unit: string): void => {
    if (bucket === undefined) return
    policies.push(`"${name}";q=${Math.ceil(bucket.perS * WINDOW_S)};w=${WINDOW_S}${unit}`)
    const missing = bucket.perS * WINDOW_S - bucket.left
    limits.push(`"${name}";r=${Math.max(0, Math.floor(bucket.left))};t=${Math.ceil(missing / bucket.perS)}`)
  }
  add('events', events, '')
  add('bytes', bytes, ';qu="content-bytes"')
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: limits.join(', ') }
}
