/** What a webhook and its actions may hold; schemas, checks and documents are made from these. */
export const WEBHOOK_LIMITS = {
  webhooksPerTenantMax: 100,
  eventsMax: 32,
  descriptionCharsMax: 1000,
  headersMax: 20,
  headerNameCharsMax: 128,
  headerValueCharsMax: 2048,
  rateLimitMax: 1000,
  overlapHoursMax: 168,
  replayDaysMax: 30,
} as const

/** What an API key may hold. */
export const API_KEY_LIMITS = {
  nameCharsMax: 128,
  eventsPerSMax: 2 ** 31 - 1,
  bytesPerSMax: Number.MAX_SAFE_INTEGER,
  overlapHoursMax: 168,
} as const

/** Keys of a tenant that are not revoked, if it has no limit of its own. */
export const API_KEYS_PER_TENANT_MAX = 1000

/** Largest limit of a tenant: events a second, streams, webhooks, API keys. */
export const TENANT_LIMIT_MAX = 1_000_000

/** What a tenant's name is like. */
export const TENANT = /^[a-z0-9-]{1,64}$/
/** {@link TENANT} in words. */
export const TENANT_SHAPE = '1 to 64 characters of a-z 0-9 -'

/** How long a stream token may last, seconds. */
export const STREAM_TOKEN_LIMITS = { ttlSMin: 10, ttlSMax: 86_400, ttlSDefault: 3600 } as const
