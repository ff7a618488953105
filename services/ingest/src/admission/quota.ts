import { TokenBuckets, type BucketRate, type TokenBucket } from '@ariftly/fairness'
import { Problem, type Caller } from '@ariftly/http'

/** Quotas per API key and limits per tenant: token buckets in this process, which holds a share of each. The tighter of key and tenant decides. */
export interface Quotas {
  /** Asks whether a key may post now, and if so reserves one event and the declared bytes. */
  admit(caller: Caller, declaredBytes: number): Admission
  /**
   * Takes the difference between a request's size and its reservation, once the size is known. A request larger than the rest of
   * the bucket is refused and its reservation returned, unless the bucket is full without that reservation: then the rest is
   * owed, so that a batch above a second's quota can pass and the mean is kept.
   */
  charge(caller: Caller, posted: Posted): Admission
}

/** The size of a request whose body was read. */
interface Posted {
  readonly events: number
  readonly bytes: number
  /** As given to {@link Quotas.admit}. */
  readonly declaredBytes: number
}

/** What the answer says about a key's quota. */
export interface Admission {
  /**
   * Headers of the answer (`RateLimit`, `RateLimit-Policy`); none without quota and limit, or if nothing was charged. They show what
   * is left after this request; a bucket that refused it shows 0.
   */
  readonly headers: Readonly<Record<string, string>>
  /** A Problem 429 when a bucket has too little. Not thrown: in a flood a throw costs more than the rest of the refusal. */
  readonly refusal: Problem | undefined
}

/** Dependencies of quotas. */
export interface QuotasOptions {
  /** Processes that share each quota, at this moment; at least 1. */
  readonly shares: () => number
  /** Epoch or monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number
}

/** A bucket holds the tokens of this time. */
const WINDOW_S = 1

/** An amount of both that is counted. */
interface Amount {
  readonly events: number
  readonly bytes: number
}

/** The buckets that a request counts in. */
type Buckets = Readonly<Record<keyof Amount, readonly TokenBucket[]>>

/** Creates the quotas: every key and every tenant starts with a full bucket. */
export function createQuotas(o: QuotasOptions): Quotas {
  const keyEvents = new TokenBuckets(o)
  const keyBytes = new TokenBuckets(o)
  const tenantEvents = new TokenBuckets(o)

  /** Undefined for a key without quota of a tenant without limit. */
  function bucketsOf({ keyId, tenant, quota, limits }: Caller): Buckets | undefined {
    const events: TokenBucket[] = []
    if (quota.eventsPerS !== null) events.push(keyEvents.of(keyId, rateOf(quota.eventsPerS)))
    if (limits.eventsPerS !== null) events.push(tenantEvents.of(tenant, rateOf(limits.eventsPerS)))
    if (quota.bytesPerS !== null) return { events, bytes: [keyBytes.of(keyId, rateOf(quota.bytesPerS))] }
    return events.length === 0 ? undefined : { events, bytes: [] }
  }

  function admit(caller: Caller, declaredBytes: number): Admission {
    const wanted = { events: 1, bytes: Math.max(1, declaredBytes) }
    return decide(caller, wanted, { reserved: NOTHING, taken: { events: 1, bytes: declaredBytes } })
  }

  function charge(caller: Caller, { events, bytes, declaredBytes }: Posted): Admission {
    if (events <= 1 && bytes <= declaredBytes) return UNLIMITED
    const wanted = { events, bytes: Math.max(bytes, declaredBytes) }
    const reserved = { events: 1, bytes: declaredBytes }
    return decide(caller, wanted, { reserved, taken: { events: events - 1, bytes: wanted.bytes - declaredBytes } })
  }

  /** Takes an amount from all buckets, or refuses and returns the reservation. */
  function decide(
    caller: Caller,
    wanted: Amount,
    { reserved, taken }: { readonly reserved: Amount; readonly taken: Amount },
  ): Admission {
    const buckets = bucketsOf(caller)
    if (buckets === undefined) return UNLIMITED
    const wait = {
      events: waitOf(buckets.events, wanted.events, reserved.events),
      bytes: waitOf(buckets.bytes, wanted.bytes, reserved.bytes),
    }
    const waitS = Math.max(wait.events, wait.bytes)
    const exceeded = waitS <= 0 ? '' : exceededOf(caller, buckets, wanted, reserved)
    take(buckets, waitS <= 0 ? taken : { events: -reserved.events, bytes: -reserved.bytes })
    const headers = headersOf(buckets, wait)
    if (waitS <= 0) return { headers, refusal: undefined }
    const refusal = new Problem(429, 'quota_exceeded', {
      detail: `${exceeded} has too little left for this request.`,
      headers: { 'Retry-After': String(Math.ceil(waitS)) },
      refusedKey: caller.keyId,
    })
    return { headers, refusal }
  }

  return { admit, charge }
}

/** The quota that lets the request wait the longest. */
function exceededOf({ quota }: Caller, { events, bytes }: Buckets, wanted: Amount, reserved: Amount): string {
  const waits = events.map((bucket) => waitOf([bucket], wanted.events, reserved.events))
  const byBytes = waitOf(bytes, wanted.bytes, reserved.bytes)
  if (byBytes > Math.max(0, ...waits)) return 'The quota of bytes of this API key'
  const [first = 0, second = 0] = waits
  const isOfKey = quota.eventsPerS !== null && first >= second
  return isOfKey ? 'The quota of events of this API key' : 'The limit of events of the tenant'
}

const NOTHING: Amount = { events: 0, bytes: 0 }
const UNLIMITED: Admission = { headers: {}, refusal: undefined }

function rateOf(perS: number): BucketRate {
  return { perS, burst: perS * WINDOW_S }
}

function take({ events, bytes }: Buckets, amount: Amount): void {
  for (const bucket of events) bucket.take(amount.events)
  for (const bucket of bytes) bucket.take(amount.bytes)
}

/** Seconds until all buckets have `wanted`, of which `reserved` is taken already and may be used. */
function waitOf(buckets: readonly TokenBucket[], wanted: number, reserved: number): number {
  if (wanted <= reserved) return 0
  return Math.max(0, ...buckets.map((bucket) => bucket.waitS(wanted, reserved)))
}

/** draft-ietf-httpapi-ratelimit-headers-10: quota `q` in window `w` seconds, remaining `r`, full again in `t` seconds. */
function headersOf(buckets: Buckets, wait: Amount): Readonly<Record<string, string>> {
  const policies: string[] = []
  const limits: string[] = []
  const add = (name: keyof Amount, unit: string): void => {
    const bucket = tightest(buckets[name])
    if (bucket === undefined) return
    const left = wait[name] > 0 ? 0 : Math.max(0, Math.floor(bucket.left))
    policies.push(`"${name}";q=${Math.ceil(bucket.burst)};w=${WINDOW_S}${unit}`)
    limits.push(`"${name}";r=${left};t=${Math.ceil(bucket.fullInS)}`)
  }
  add('events', '')
  add('bytes', ';qu="content-bytes"')
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: limits.join(', ') }
}

/** The bucket that has least left. */
function tightest(buckets: readonly TokenBucket[]): TokenBucket | undefined {
  let tight: TokenBucket | undefined
  for (const bucket of buckets) if (bucket.left < (tight?.left ?? Infinity)) tight = bucket
  return tight
}
