import type { Answer } from './transport.ts'

/** What fits into one window of a quota. */
export interface Quota {
  readonly events: number
  readonly bytes: number
}

/** The quotas of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10); undefined without any. */
export function quotaOf({ headers }: Answer): Quota | undefined {
  const policies = [...(headers.get('ratelimit-policy') ?? '').matchAll(/"(events|bytes)"[^,]*?;\s*q=(\d+)/g)]
  if (policies.length === 0) return undefined
  const quota = { events: Infinity, bytes: Infinity }
  for (const [, name, q] of policies) quota[name as keyof Quota] = Math.max(1, Number(q))
  return quota
}
