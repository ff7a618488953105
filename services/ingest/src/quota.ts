import { Problem, type Caller } from '@ariftly/http'

/** Quotas per API key and limits per tenant: token buckets in this process, which holds a share of each. */
export interface Quotas {
  /**
   * Asks whether a key may post now, and if so reserves one event and the declared bytes, so that requests that come at the same time do not
   * all pass on the last token. A request is let in while there is anything left, whatever its size; what it takes beyond that is owed, so
   * a batch larger than a second's quota passes, and the mean is kept. The tighter of key and tenant decides.
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

/** What the answer says about a key's quota. */
export interface Admission {
  /** Of the answer (`RateLimit`, `RateLimit-Policy`); none without quota and limit. */
  readonly headers: Readonly<Record<string, string>>
  /** A Problem 429 when one of the buckets is empty. Not thrown, as in a flood the throws cost more than the rest of this. */
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
    let account = accounts.get(id)
    if (account === undefined || !sameQuota(account.quota, quota)) {
      account = { quota, events: full(quota.eventsPerS), bytes: full(quota.bytesPerS), filledMs: nowMs }
      accounts.set(id, account)
    }
    fill(account, nowMs, shares())
    return account
  }

  function full(quotaPerS: number | null): Bucket | undefined {
    if (quotaPerS === null) return undefined
    const perS = quotaPerS / shares()
    return { quotaPerS, perS, left: perS * WINDOW_S }
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
    const accounts = accountsOf(caller)
    if (accounts.length === 0) return UNLIMITED
    const headers = headersOf(accounts)
    const waitS = Math.max(...accounts.map(({ events, bytes }) => Math.max(waitOf(events), waitOf(bytes))))
    if (waitS <= 0) {
      take(accounts, 1, declaredBytes)
      return { headers, refusal: undefined }
    }
    const refusal = new Problem(429, 'quota_exceeded', {
      detail: 'The quota of this API key, or the limit of its tenant, is used up.',
      headers: { 'Retry-After': String(Math.ceil(waitS)) },
      refusedKey: caller.keyId,
    })
    return { headers, refusal }
  }

  function charge(caller: Caller, { events, bytes, declaredBytes }: Posted): void {
    take(accountsOf(caller), events - 1, Math.max(0, bytes - declaredBytes))
  }

  return { admit, charge }
}

const NONE: readonly Account[] = []
const UNLIMITED: Admission = { headers: {}, refusal: undefined }

function take(accounts: readonly Account[], events: number, bytes: number): void {
  for (const account of accounts) {
    if (account.events) account.events.left -= events
    if (account.bytes) account.bytes.left -= bytes
  }
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

/** Seconds until anything is left; 0 if something is. */
function waitOf(bucket: Bucket | undefined): number {
  return bucket === undefined || bucket.left > 0 ? 0 : (1 - bucket.left) / bucket.perS
}

/** draft-ietf-httpapi-ratelimit-headers-10: quota `q` in window `w` seconds, remaining `r`, full again in `t` seconds. */
function headersOf(accounts: readonly Account[]): Readonly<Record<string, string>> {
  const policies: string[] = []
  const limits: string[] = []
  const add = (name: string, bucket: Bucket | undefined, unit: string): void => {
    if (bucket === undefined) return
    policies.push(`"${name}";q=${Math.ceil(bucket.perS * WINDOW_S)};w=${WINDOW_S}${unit}`)
    const missing = bucket.perS * WINDOW_S - bucket.left
    limits.push(`"${name}";r=${Math.max(0, Math.floor(bucket.left))};t=${Math.ceil(missing / bucket.perS)}`)
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
