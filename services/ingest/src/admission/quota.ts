import { Problem, type Caller } from '@ariftly/http'

/** Quotas per API key and limits per tenant: token buckets in this process, which holds a share of each. The tighter of key and tenant decides. */
export interface Quotas {
  /** Asks whether a key may post now, and if so reserves one event and the declared bytes. */
  admit(caller: Caller, declaredBytes: number): Admission
  /**
   * Takes what a request is beyond what was reserved for it, now that its size is known. A request that is larger than what is left is
   * refused, and its reservation given back, unless the bucket is full but for that reservation: then the rest is owed, so that a batch larger
   * than a second's quota can pass, and the mean is kept.
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
  /** Of the answer (`RateLimit`, `RateLimit-Policy`); none without quota and limit. What has too little left for a refused request shows 0. */
  readonly headers: Readonly<Record<string, string>>
  /** A Problem 429 when one of the buckets has too little left. Not thrown, as in a flood the throws cost more than the rest of this. */
  readonly refusal: Problem | undefined
}

/** What quotas need. */
export interface QuotasOptions {
  /** Processes that share each quota, at this moment; at least 1. */
  readonly shares: () => number
  /** Epoch or monotonic milliseconds; default `performance.now`. */
  readonly now?: () => number
}

/** A bucket holds what comes in within this time. */
const WINDOW_S = 1
/** A key or tenant that was not used for so long is dropped; its buckets are full by then, unless it owes more. */
const FORGET_MS = 60_000
/** Shares are fractions, whose sums are not exact. */
const ROUNDING = 1e-6

/** An amount of both that is counted. */
interface Amount {
  readonly events: number
  readonly bytes: number
}

interface Bucket {
  /** Over all processes. */
  readonly quotaPerS: number
  /** The share of this process. */
  perS: number
  left: number
}

/** The buckets of a key or of a tenant. */
interface Account {
  readonly quota: Caller['quota']
  readonly events: Bucket | undefined
  readonly bytes: Bucket | undefined
  filledMs: number
}

/** Creates empty books: every key and every tenant begins with full buckets. */
export function createQuotas({ shares, now = () => performance.now() }: QuotasOptions): Quotas {
  const keys = new Map<string, Account>()
  const tenants = new Map<string, Account>()
  let sweptMs = now()

  /** The accounts that a request counts in; none for a key without quota of a tenant without limit. */
  function accountsOf({ keyId, tenant, quota, limits }: Caller): readonly Account[] {
    const ofKey = quota.eventsPerS !== null || quota.bytesPerS !== null
    if (!ofKey && limits.eventsPerS === null) return NONE
    const nowMs = now()
    if (nowMs - sweptMs > FORGET_MS) forgetUnused(nowMs)
    const accounts: Account[] = []
    if (ofKey) accounts.push(accountOf(keys, keyId, quota, nowMs))
    if (limits.eventsPerS !== null) {
      accounts.push(accountOf(tenants, tenant, { eventsPerS: limits.eventsPerS, bytesPerS: null }, nowMs))
    }
    return accounts
  }

  function accountOf(accounts: Map<string, Account>, id: string, quota: Caller['quota'], nowMs: number): Account {
    const known = accounts.get(id)
    if (known !== undefined) fill(known, nowMs, shares())
    if (known !== undefined && sameQuota(known.quota, quota)) return known
    const events = open(quota.eventsPerS, known?.events)
    const account = { quota, events, bytes: open(quota.bytesPerS, known?.bytes), filledMs: nowMs }
    accounts.set(id, account)
    return account
  }

  /** A full bucket. One whose quota was changed has no more than before, and owes what it owed. */
  function open(quotaPerS: number | null, before: Bucket | undefined): Bucket | undefined {
    if (quotaPerS === null) return undefined
    const perS = quotaPerS / shares()
    return { quotaPerS, perS, left: Math.min(perS * WINDOW_S, before?.left ?? Infinity) }
  }

  function forgetUnused(nowMs: number): void {
    sweptMs = nowMs
    for (const accounts of [keys, tenants]) {
      for (const [id, account] of accounts) {
        const owes = [account.events, account.bytes].some((bucket) => bucket !== undefined && bucket.left < 0)
        if (!owes && nowMs - account.filledMs > FORGET_MS) accounts.delete(id)
      }
    }
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

  /** Takes an amount from all buckets, or refuses and gives back what was reserved. */
  function decide(
    caller: Caller,
    wanted: Amount,
    { reserved, taken }: { readonly reserved: Amount; readonly taken: Amount },
  ): Admission {
    const accounts = accountsOf(caller)
    if (accounts.length === 0) return UNLIMITED
    const wait = {
      events: Math.max(...accounts.map(({ events }) => waitOf(events, wanted.events, reserved.events))),
      bytes: Math.max(...accounts.map(({ bytes }) => waitOf(bytes, wanted.bytes, reserved.bytes))),
    }
    const headers = headersOf(accounts, wait)
    const waitS = Math.max(wait.events, wait.bytes)
    if (waitS <= 0) {
      take(accounts, taken)
      return { headers, refusal: undefined }
    }
    take(accounts, { events: -reserved.events, bytes: -reserved.bytes })
    const refusal = new Problem(429, 'quota_exceeded', {
      detail: 'The quota of this API key, or the limit of its tenant, has too little left for this request.',
      headers: { 'Retry-After': String(Math.ceil(waitS)) },
      refusedKey: caller.keyId,
    })
    return { headers, refusal }
  }

  return { admit, charge }
}

const NONE: readonly Account[] = []
const NOTHING: Amount = { events: 0, bytes: 0 }
const UNLIMITED: Admission = { headers: {}, refusal: undefined }

function take(accounts: readonly Account[], { events, bytes }: Amount): void {
  for (const account of accounts) {
    if (account.events) takeOf(account.events, events)
    if (account.bytes) takeOf(account.bytes, bytes)
  }
}

function takeOf(bucket: Bucket, amount: number): void {
  bucket.left = Math.min(bucket.perS * WINDOW_S, bucket.left - amount)
}

function sameQuota(one: Caller['quota'], other: Caller['quota']): boolean {
  return one.eventsPerS === other.eventsPerS && one.bytesPerS === other.bytesPerS
}

/** Adds what has come in since the last time. A share that has changed counts from now on. */
function fill(account: Account, nowMs: number, shares: number): void {
  const passedS = Math.max(0, (nowMs - account.filledMs) / 1000)
  account.filledMs = Math.max(account.filledMs, nowMs)
  for (const bucket of [account.events, account.bytes]) {
    if (bucket === undefined) continue
    bucket.perS = bucket.quotaPerS / shares
    bucket.left = Math.min(bucket.perS * WINDOW_S, bucket.left + passedS * bucket.perS)
  }
}

/** Seconds until a bucket has as much as is wanted, or is full, where a part is reserved already; 0 if it has. What was reserved may be used. */
function waitOf(bucket: Bucket | undefined, wanted: number, reserved: number): number {
  if (bucket === undefined || wanted <= reserved) return 0
  const missing = Math.min(wanted, bucket.perS * WINDOW_S) - (bucket.left + reserved)
  return missing <= ROUNDING ? 0 : missing / bucket.perS
}

/** draft-ietf-httpapi-ratelimit-headers-10: quota `q` in window `w` seconds, remaining `r`, full again in `t` seconds. */
function headersOf(accounts: readonly Account[], wait: Amount): Readonly<Record<string, string>> {
  const policies: string[] = []
  const limits: string[] = []
  const add = (name: keyof Amount, bucket: Bucket | undefined, unit: string): void => {
    if (bucket === undefined) return
    const left = wait[name] > 0 ? 0 : Math.max(0, Math.floor(bucket.left))
    policies.push(`"${name}";q=${Math.ceil(bucket.perS * WINDOW_S)};w=${WINDOW_S}${unit}`)
    const missing = bucket.perS * WINDOW_S - bucket.left
    limits.push(`"${name}";r=${left};t=${Math.ceil(missing / bucket.perS)}`)
  }
  add('events', tightest(accounts.map(({ events }) => events)), '')
  add('bytes', tightest(accounts.map(({ bytes }) => bytes)), ';qu="content-bytes"')
  return { 'RateLimit-Policy': policies.join(', '), RateLimit: limits.join(', ') }
}

/** The bucket that has least left. */
function tightest(buckets: readonly (Bucket | undefined)[]): Bucket | undefined {
  let tight: Bucket | undefined
  for (const bucket of buckets) if (bucket !== undefined && bucket.left < (tight?.left ?? Infinity)) tight = bucket
  return tight
}
